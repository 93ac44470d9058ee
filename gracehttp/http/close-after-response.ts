import { type OutgoingHttpHeaders, type OutgoingHttpHeader, type ServerResponse } from 'node:http';

type WriteHead = ServerResponse['writeHead'];
type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Makes a response say `Connection: close`, whatever the program writes, if it is
 * the last one on its connection when its head is written; Node.js closes the
 * connection after it. A response whose head is already written is not changed.
 *
 * `writeHead` stays replaced: sessions and compression replace it too, on top of
 * this, and putting the old one back would drop their headers.
 *
 * @param isLast - asked right before the head is written.
 */
export function closeAfterResponse(response: ServerResponse, isLast: (response: ServerResponse) => boolean): void {
  // Every head is written by writeHead(), also one that write() or end() sends implicitly.
  const { writeHead } = response;
  response.writeHead = function writeHeadOfLast(this: ServerResponse, ...args: unknown[]): ServerResponse {
    if (!this.headersSent && isLast(this)) sayClose(this, args);
    return Reflect.apply(writeHead, this, args) as ServerResponse;
  } as WriteHead;
}

/** Changes the response, or the arguments of its writeHead(). */
function sayClose(response: ServerResponse, args: unknown[]): void {
  // The client asked for it, or does not know kept connections.
  if (!response.shouldKeepAlive) return;
  response.shouldKeepAlive = false;
  const index = args.findLastIndex(isHeaders);
  const given = index === -1 ? {} : withoutKeepAlive(args[index] as Headers);
  // It is said even so, as Node.js says nothing after removeHeader('Connection').
  const says = isUpgrade(response.getHeader('connection')) || hasConnection(given) ? undefined : 'close';
  if (index !== -1) args[index] = says === undefined ? given : withClose(given);
  else if (says !== undefined) response.setHeader('Connection', says);
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null;
}

/** `Connection: Upgrade` is kept, as a response may need it. */
function isUpgrade(value: unknown): boolean {
  return /\bupgrade\b/i.test(String(value));
}

/** Headers come as an object, as a flat list of names and values, or as a list of pairs. */
function withoutKeepAlive(headers: Headers): Headers {
  if (!Array.isArray(headers)) {
    return Object.fromEntries(Object.entries(headers).filter(([name, value]) => !isKeepAlive(name, value)));
  }
  if (isPairs(headers)) return headers.filter((pair) => !Array.isArray(pair) || !isKeepAlive(pair[0], pair[1]));
  return headers.filter((_, index) => {
    const name = index - (index % 2);
    return !isKeepAlive(headers[name], headers[name + 1]);
  });
}

function hasConnection(headers: Headers): boolean {
  if (!Array.isArray(headers)) return Object.keys(headers).some(isConnection);
  if (isPairs(headers)) return headers.some((pair) => Array.isArray(pair) && isConnection(pair[0]));
  return headers.some((name, index) => index % 2 === 0 && isConnection(name));
}

function withClose(headers: Headers): Headers {
  if (!Array.isArray(headers)) return { ...headers, Connection: 'close' };
  return isPairs(headers) ? [...headers, ['Connection', 'close']] : [...headers, 'Connection', 'close'];
}

function isPairs(headers: OutgoingHttpHeader[]): boolean {
  return Array.isArray(headers[0]);
}

function isKeepAlive(name: unknown, value: unknown): boolean {
  return isConnection(name) && !isUpgrade(value);
}

function isConnection(name: unknown): boolean {
  return String(name).toLowerCase() === 'connection';
}
