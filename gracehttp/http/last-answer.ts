import { type OutgoingHttpHeaders, type OutgoingHttpHeader, type ServerResponse } from 'node:http';

type WriteHead = ServerResponse['writeHead'];
type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Makes an answer say `Connection: close`, whatever the program writes; Node.js
 * ends the connection after it. An answer whose head is out already is left.
 *
 * @returns what takes it back as long as the head is not out, or undefined where
 * nothing was changed: the connection ends anyway, or not yet.
 */
export function makeLast(response: ServerResponse): (() => void) | undefined {
  if (response.headersSent || !response.shouldKeepAlive) return undefined;
  // Everything that writes a head goes through writeHead(), implicit heads too.
  const writeHead = response.writeHead;
  response.shouldKeepAlive = false;
  response.writeHead = function writeLastHead(this: ServerResponse, ...args: unknown[]): ServerResponse {
    // Removed, it would not be sent at all, and the client would take the connection for one that stays.
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

/** `Connection: Upgrade` is the one that an answer needs. */
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
