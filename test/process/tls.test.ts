import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { portOf, portsOf } from '../support/address.js';
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

/** A release that serves an https server of the program's own, and one by createServer(). */
const release = (keyFile: string, certFile: string): string => `
  import { readFileSync } from 'node:fs';
  import https from 'node:https';
  import { App, createServer } from ${JSON.stringify(import.meta.resolve('ts-grace/gracehttp'))};
  import { announceEvents } from ${JSON.stringify(new URL('../fixtures/announce.js', import.meta.url).href)};
  const [key, cert] = ${JSON.stringify([keyFile, certFile])};
  const handler = (request, response) => response.end('served');
  const app = new App();
  announceEvents(app);
  await app.serve(
    { server: https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, handler), listen: '127.0.0.1:0', name: 'own' },
    createServer('127.0.0.1:0', handler, { tls: { key, cert }, name: 'created' }),
  );
`;

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`${version} sessions resume after the first restart of "cd current && node server.js", and after a reload`, async (t) => {
    const folder = scratch(t);
    const { keyFile, certFile, cert } = await makeCertificate(folder);
    mkdirSync(join(folder, 'release-1'));
    symlinkSync('release-1', join(folder, 'current'));
    writeFileSync(join(folder, 'release-1', 'server.mjs'), release(keyFile, certFile));
    const program = start(t, 'server.mjs', { cwd: folder, shell: 'cd current && exec "$NODE" server.mjs' });
    const ports = portsOf(await program.announced('ready'));
    let visits = await Promise.all(ports.map((port) => visit(port, version, cert)));
    const again = async (): Promise<boolean[]> => {
      visits = await Promise.all(ports.map((port, index) => visit(port, version, cert, visits[index]!.session)));
      return visits.map(({ reused }) => reused);
    };
    t.strictSame(await again(), [true, true], 'in the same process');
    process.kill(program.pid, 'SIGHUP');
    await program.announced('reloaded');
    t.strictSame(await again(), [true, true], 'after a reload');
    for (const generation of [2, 3]) {
      process.kill(program.serving, 'SIGUSR2');
      await program.announced('ready', generation);
      await program.announced('closed', generation - 1);
      t.strictSame(await again(), [true, true], `in generation ${generation}`);
    }
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
  });
}
