import { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type Server } from 'node:net';
import { parseAddress } from '../../lib/address/address.js';
import { type App } from '../app.js';
import { type Reply } from './reply.js';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
/** `Host` of a client on this machine, with or without a port. Another name may resolve to a loopback address too. */
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d*)?$/i;
/** What proxies add. */
const FORWARDED = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;

const WITHOUT_TOKEN = 'without the option token this works only';

/** Why a request gets no answer that is for administrators alone; undefined if it may get one. */
export function refusal(app: App, request: IncomingMessage, token: string | undefined): Reply | undefined {
  const { headers } = request;
  if (token !== undefined) {
    if (sameText(headers.authorization ?? '', `Bearer ${token}`)) return undefined;
    return { status: 401, headers: { 'WWW-Authenticate': 'Bearer' }, body: { error: 'the token is missing or wrong' } };
  }
  const forwarded = Object.keys(headers).find((name) => FORWARDED.test(name));
  if (forwarded !== undefined) return forbidden(`${WITHOUT_TOKEN} without a proxy; this request has the header ${forwarded}`);
  // Any web page could post to a loopback address; a browser says so with this header.
  if (headers.origin !== undefined) return forbidden('without the option token this does not work from web pages');
  const listensOn = addressKind(app, request);
  if (listensOn === 'unix') return undefined;
  if (listensOn === 'other') return forbidden(`${WITHOUT_TOKEN} on loopback addresses and unix sockets`);
  if (LOOPBACK_HOST.test(hostOf(headers))) return undefined;
  return forbidden(`${WITHOUT_TOKEN} for a Host of this machine: localhost, 127.0.0.1 or [::1]`);
}

/** HTTP/2 has `:authority` in place of `Host`. */
function hostOf(headers: IncomingHttpHeaders): string {
  const authority = headers[':authority'];
  return headers.host ?? (typeof authority === 'string' ? authority : '');
}

/** Decides by the address that is listened on: a wildcard address is not local, even if this client is. */
function addressKind(app: App, { socket }: IncomingMessage): 'unix' | 'loopback' | 'other' {
  const { server } = socket as { readonly server?: Server };
  const listener = app.servers.find((served) => served.server === server)?.listener;
  if (listener === undefined) {
    const address = server?.address();
    if (typeof address === 'string') return 'unix';
    return LOOPBACK.test(address?.address ?? '') ? 'loopback' : 'other';
  }
  const address = parseAddress(listener.address);
  if (address.kind === 'unix') return 'unix';
  return address.kind === 'tcp' && LOOPBACK.test(address.host ?? '') ? 'loopback' : 'other';
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
