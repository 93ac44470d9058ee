import { type ServerResponse } from 'node:http';

const EVENT_STREAM = 'text/event-stream';

/**
 * Whether a response is a stream of server-sent events, which has no end that it
 * could be late for. A type that the program passed to writeHead() is in the head
 * that Node.js keeps in an undocumented property. In a Node.js version without it,
 * such a response is not recognised.
 */
export function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type');
  if (type !== undefined) return String(type).toLowerCase().startsWith(EVENT_STREAM);
  const { _header: head } = response as { readonly _header?: unknown };
  return typeof head === 'string' && head.toLowerCase().includes(`\r\ncontent-type: ${EVENT_STREAM}`);
}
