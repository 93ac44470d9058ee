import { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { type Server } from 'node:net';
import { parseAddress } from '../../lib/address/address.js';
import { GraceError } from '../../lib/errors.js';
import { type App } from '../app.js';
import { type ServedServer } from '../served-server.js';

export interface Reply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body: string | object;
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** Undefined where a request may change something, or else why not. */
export function mayControl(app: App, request: IncomingMessage, token: string | undefined): Reply | undefined {
  if (token !== undefined) {
    if (sameText(request.headers.authorization ?? '', `Bearer ${token}`)) return undefined;
    return { status: 401, headers: { 'WWW-Authenticate': 'Bearer' }, body: { error: 'the token is missing or wrong' } };
  }
  if (!isLocal(app, request)) return refused('without the option token this is for loopback addresses and unix sockets');
  // A browser says where a page comes from: any page could post to a loopback address.
  if (request.headers.origin !== undefined) return refused('without the option token this is not for web pages');
  return undefined;
}

/** Does what `POST /restart` or `POST /limit` ask for. */
export async function control(app: App, url: URL): Promise<Reply> {
  try {
    if (url.pathname === '/restart') return { status: 200, body: await app.restart() };
    return limit(app, url.searchParams);
  } catch (error) {
    if (!(error instanceof GraceError)) throw error;
    const { code, message, exitCode, signal, stderr } = error;
    return { status: STATUS[code] ?? 500, body: { code, error: message, exitCode, signal, stderr } };
  }
}

const STATUS: Partial<Record<GraceError['code'], number>> = {
  OPTION_INVALID: 400,
  STATE_INVALID: 409,
  RESTART_UNSUPPORTED: 501,
};

function limit(app: App, query: URLSearchParams): Reply {
  const name = query.get('server');
  const value = query.get('limit');
  const served = find(app, name);
  if (served === undefined) {
    const names = app.servers.map(({ listener }) => listener.name ?? listener.address).join(', ');
    return { status: 404, body: { error: `there is no server ${name}, expected one of: ${names}` } };
  }
  if (value !== null && !/^(\d+|none)$/.test(value)) {
    return { status: 400, body: { error: `limit is ${value}, expected a whole number or none` } };
  }
  const free = value === null ? served.limit() : served.limit(value === 'none' ? Infinity : Number(value));
  return { status: 200, body: { server: name, limit: served.throttle.maximum, free } };
}

function find(app: App, name: string | null): ServedServer | undefined {
  if (name === null) return app.servers.length === 1 ? app.servers[0] : undefined;
  return app.servers.find(({ listener }) => [listener.name, listener.address, listener.asked].includes(name));
}

/** By the address that is listened on: a wildcard is not local, even where the client is. */
function isLocal(app: App, { socket }: IncomingMessage): boolean {
  const { server } = socket as { readonly server?: Server };
  const listener = app.servers.find((served) => served.server === server)?.listener;
  if (listener === undefined) {
    const address = server?.address();
    return typeof address === 'string' || LOOPBACK.test(address?.address ?? '');
  }
  const address = parseAddress(listener.address);
  return address.kind === 'unix' || (address.kind === 'tcp' && LOOPBACK.test(address.host ?? ''));
}

/** In a time that does not tell how much of the text is right. */
function sameText(a: string, b: string): boolean {
  const { createHash, timingSafeEqual } = process.getBuiltinModule('node:crypto');
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function refused(error: string): Reply {
  return { status: 403, body: { error } };
}
