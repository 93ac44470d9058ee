import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';

/** A response that is whole before it is sent: text, or an object that is sent as JSON. */
export interface Reply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body: string | object;
}

export function sendReply(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  const isText = typeof body === 'string';
  const text = isText ? body : `${JSON.stringify(body, undefined, 2)}\n`;
  response.writeHead(status, {
    'Content-Type': isText ? 'text/plain' : 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
