import { once } from 'node:events';
import tls from 'node:tls';
import t from 'tap';
import { portOf } from '../support/address.js';
import { makeCertificate } from '../support/certificate.js';
import { fixture, start } from '../support/program.js';
import { scratch } from '../support/scratch.js';

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

interface Visit {
  readonly session: Buffer;
  readonly reused: boolean;
}

/** Sends one request. Returns the session that the server offers, and whether it accepted the client's. */
async function visit(port: number, version: tls.SecureVersion, ca: string, session?: Buffer): Promise<Visit> {
  const options = { port, host: '127.0.0.1', servername: 'localhost', ca, minVersion: version, maxVersion: version };
  const socket = tls.connect({ ...options, ...(session === undefined ? {} : { session }) });
  let offered = session;
  socket.on('session', (ticket: Buffer) => {
    offered = ticket;
  });
  await once(socket, 'secureConnect');
  const reused = socket.isSessionReused();
  socket.end(REQUEST);
  socket.resume();
  await once(socket, 'close');
  if (offered === undefined) throw new Error('the server offered no session');
  return { session: offered, reused };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`${version} sessions resume in the next process`, async (t) => {
    const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
    const argument = JSON.stringify({ https: ['127.0.0.1:0'], key: keyFile, cert: certFile });
    const program = start(t, fixture('server'), { args: [argument] });
    const [address] = (await program.announced('ready')).addresses as string[];
    const port = portOf(address!);
    const first = await visit(port, version, cert);
    t.equal(first.reused, false);
    process.kill(program.pid, 'SIGUSR2');
    await program.announced('ready', 2);
    await program.exited;
    t.equal((await visit(port, version, cert, first.session)).reused, true);
  });
}
