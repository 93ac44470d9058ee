import { type OutgoingHttpHeaders, type OutgoingHttpHeader, type ServerResponse } from 'node:http';

type WriteHead = ServerResponse['writeHead'];
type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Makes a response say `Connection: close`, whatever the program writes; Node.js
 * closes the connection after it. A response whose head is already written is not
 * changed.
 *
 * @returns a function that undoes it while the head is not written, or undefined
 * if nothing was changed: the response closes the connection anyway, or its head
 * is written.
 */
export function closeAfterResponse(response: ServerResponse): (() => void) | undefined {
  if (response.headersSent || !response.shouldKeepAlive) return undefined;
  // Every head is written by writeHead(), also one that write() or end() sends implicitly.
  const writeHead = response.writeHead;
  response.shouldKeepAlive = false;
  response.writeHead = function writeHeadWithClose(this: ServerResponse, ...args: unknown[]): ServerResponse {
    // Replace it: if it were removed, none would be sent, and the client would expect the connection to stay.
    if (isHopHeader(this.getHeader('connection'))) this.setHeader('connection', 'close');
    const last = args.length - 1;
    if (isHeaders(args[last])) args[last] = withoutConnection(args[last]);
    return Reflect.apply(writeHead, this, args) as ServerResponse;
  } as WriteHead;
  return () => {
    if (response.headersSent) return;
    response.shouldKeepAlive = true;
    response.writeHead = writeHead;
  };
}

/** `Connection: Upgrade` is kept, as a response may need it. */
function isHopHeader(value: unknown): boolean {
  return value !== undefined && !/\bupgrade\b/i.test(String(value));
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null;
}

/** Headers come as an object, as a flat list of names and values, or as a list of pairs. */
function withoutConnection(headers: Headers): Headers {
  if (!Array.isArray(headers)) {
    return Object.fromEntries(Object.entries(headers).filter(([name, value]) => !isKeepAlive(name, value)));
  }
  if (Array.isArray(headers[0])) {
    return headers.filter((pair) => !Array.isArray(pair) || !isKeepAlive(pair[0], pair[1]));
  }
  return headers.filter((_, index) => {
    const name = index - (index % 2);
    return !isKeepAlive(headers[name], headers[name + 1]);
  });
}

function isKeepAlive(name: unknown, value: unknown): boolean {
  return String(name).toLowerCase() === 'connection' && isHopHeader(value);
}
