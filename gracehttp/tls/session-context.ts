import { type Server } from 'node:net';

/** OpenSSL allows 32 bytes. */
const CONTEXT_CHARACTERS = 32;

/** What tls.Server has besides its documented properties: the context of its sessions, and where it is set. */
interface SessionServer extends Server {
  sessionIdContext?: unknown;
  readonly _sharedCreds?: { readonly context?: { setSessionIdContext?(context: string): void } };
}

/**
 * The session ID context for the server of an address: sessions resume only in a
 * server that has the same one.
 */
export function sessionContextOf(address: string): string {
  return hash(address);
}

/**
 * Gives a server that the program made the same session ID context in each
 * generation. Node.js derives it from `process.argv`, and after `cd current &&
 * node server.js` the first successor has another path there. It can be set only
 * when a server is made, so this uses an undocumented property; without it
 * clients do a full handshake after that restart. A context that the program chose is kept.
 */
export function fixSessionContext(server: Server, address: string): void {
  const tls = server as SessionServer;
  if (tls.sessionIdContext !== hash(process.argv.join(' '))) return;
  const secureContext = tls._sharedCreds?.context;
  if (typeof secureContext?.setSessionIdContext !== 'function') return;
  const context = sessionContextOf(address);
  secureContext.setSessionIdContext(context);
  tls.sessionIdContext = context;
}

/** As Node.js makes its own. */
function hash(text: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha1').update(text).digest('hex').slice(0, CONTEXT_CHARACTERS);
}
