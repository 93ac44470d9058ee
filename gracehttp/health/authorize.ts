import { type IncomingMessage } from 'node:http';
import { type Server } from 'node:net';
import { parseAddress } from '../../lib/address/address.js';
import { type App } from '../app.js';
import { type Reply } from './reply.js';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** Why a request may not change anything; undefined if it may. */
export function refusal(app: App, request: IncomingMessage, token: string | undefined): Reply | undefined {
  if (token !== undefined) {
    if (sameText(request.headers.authorization ?? '', `Bearer ${token}`)) return undefined;
    return { status: 401, headers: { 'WWW-Authenticate': 'Bearer' }, body: { error: 'the token is missing or wrong' } };
  }
  if (!isLocal(app, request)) {
    return forbidden('without the option token this works only on loopback addresses and unix sockets');
  }
  // Any web page could post to a loopback address; a browser says so with this header.
  if (request.headers.origin !== undefined) return forbidden('without the option token this does not work from web pages');
  return undefined;
}

/** Decides by the address that is listened on: a wildcard address is not local, even if this client is. */
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

/** Takes the same time however much of the text is right. */
function sameText(a: string, b: string): boolean {
  const { createHash, timingSafeEqual } = process.getBuiltinModule('node:crypto');
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function forbidden(error: string): Reply {
  return { status: 403, body: { error } };
}
