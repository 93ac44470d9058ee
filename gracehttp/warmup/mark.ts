import { subscribe } from 'node:diagnostics_channel';
import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type Server } from 'node:net';
import { speaksHttp2 } from '../http/speaks-http.js';
import { type Exchange } from '../http/exchange.js';
import { onUpgrade } from '../http/upgrade.js';
import { isInner } from './inner-connection.js';

/** The header by which a program distinguishes a request of a warm-up from one of a client. */
export const MARK = 'ts-grace-warmup';
const FORGED = `${MARK}-from-outside`;

let watching = false;

/**
 * Takes the mark away from requests that come from outside, before the program
 * sees them: it may skip authentication or accounting for a marked request.
 */
export function refuseForgedMarks(servers: readonly Server[]): void {
  for (const server of servers) {
    if (speaksHttp2(server)) server.prependListener('stream', refuseInStream);
    // For a request that upgrades there is no message.
    onUpgrade(server, refuseInRequest);
  }
  if (watching) return;
  watching = true;
  subscribe('http.server.request.start', (message) => {
    const { request, socket } = message as Exchange;
    refuseInRequest(request, socket);
  });
}

function refuseInRequest(request: IncomingMessage, socket: object): void {
  if (!hasMark(request.rawHeaders) || isInner(socket)) return;
  // Node.js makes `headers` of these when they are first asked for.
  rename(request.rawHeaders);
  delete request.headers[MARK];
  delete request.headersDistinct[MARK];
}

/** Names are at even places. Comparing lengths first makes it cost next to nothing for all other requests. */
function hasMark(rawHeaders: readonly string[]): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) if (isMark(rawHeaders[index]!)) return true;
  return false;
}

function isMark(name: string): boolean {
  return name.length === MARK.length && name.toLowerCase() === MARK;
}

function rename(rawHeaders: string[]): void {
  for (let index = 0; index < rawHeaders.length; index += 2) if (isMark(rawHeaders[index]!)) rawHeaders[index] = FORGED;
}

function refuseInStream(stream: { readonly session?: object | undefined }, headers: IncomingHttpHeaders, _: number, raw: string[]): void {
  if (headers[MARK] === undefined || (stream.session !== undefined && isInner(stream.session))) return;
  delete headers[MARK];
  rename(raw);
}
