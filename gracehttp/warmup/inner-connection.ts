import { type Server, type Socket } from 'node:net';
import { type Duplex } from 'node:stream';

/** A connection inside of this process: what one side writes, the other one reads. */
export interface InnerConnection {
  readonly client: Duplex;
  /** What the server gets. It looks like a connection from this machine. */
  readonly server: Socket;
}

const LOOPBACK = '127.0.0.1';

/** The server sides that are or were open, and the HTTP/2 sessions on them. */
const inner = new WeakSet<object>();

/** Makes a connection that needs no port: Node.js lets an HTTP server serve any stream that goes both ways. */
export function innerConnection(tls: { readonly alpn: string | false } | undefined): InnerConnection {
  const { duplexPair } = process.getBuiltinModule('node:stream');
  const [client, side] = duplexPair();
  inner.add(side);
  // A client that has its response leaves, and a server may still write.
  side.on('error', () => undefined);
  client.on('error', () => undefined);
  return { client, server: Object.assign(side, facts(side), tls === undefined ? {} : tlsFacts(tls.alpn)) as unknown as Socket };
}

/** Whether a connection, or an HTTP/2 session, is one of {@link innerConnection}. */
export function isInner(socket: object): boolean {
  return inner.has(socket);
}

/** The HTTP/2 sessions that a server begins during `work` are on an inner connection. */
export function markSessions(server: Server, work: () => void): void {
  const mark = (session: object): void => void inner.add(session);
  server.on('session', mark);
  work();
  server.off('session', mark);
}

/** What programs use of a `net.Socket` that a stream does not have. */
function facts(side: Duplex): object {
  const self = (): Duplex => side;
  return {
    remoteAddress: LOOPBACK,
    remoteFamily: 'IPv4',
    remotePort: 0,
    localAddress: LOOPBACK,
    localFamily: 'IPv4',
    localPort: 0,
    bytesRead: 0,
    bytesWritten: 0,
    ...{ setTimeout: self, setNoDelay: self, setKeepAlive: self, ref: self, unref: self },
    address: () => ({ address: LOOPBACK, family: 'IPv4', port: 0 }),
    destroySoon: () => {
      if (side.writable) side.end();
      if (side.writableFinished) side.destroy();
      else side.once('finish', () => side.destroy());
    },
  };
}

/** The same of a `tls.TLSSocket` whose client has shown no certificate. */
function tlsFacts(alpnProtocol: string | false): object {
  return {
    encrypted: true,
    authorized: false,
    alpnProtocol,
    getPeerCertificate: () => ({}),
    getCipher: () => ({ name: '', standardName: '', version: '' }),
    getProtocol: () => null,
    getSession: () => undefined,
    isSessionReused: () => false,
  };
}
