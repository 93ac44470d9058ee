import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { portOf, portsOf } from '../support/address.js';
import { makeCertificate } from '../support/certificate.js';
import { connect, get } from '../support/http/client.js';
import { fixture, start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { waitUntil } from '../support/wait.js';

t.test('SIGHUP and a restart read certificates again', async (t) => {
  const [folder, second, third] = [scratch(t), scratch(t), scratch(t)];
  const { keyFile, certFile, cert } = await makeCertificate(folder);
  const [newer, newest] = [await makeCertificate(second), await makeCertificate(third)];
  const servers = [{ listen: '127.0.0.1:0', tls: { key: keyFile, cert: certFile } }];
  const program = start(t, fixture('created'), { args: [JSON.stringify({ servers })] });
  const port = portOf(await program.announced('ready'));
  await get({ port, ca: cert });

  copyFileSync(newer.keyFile, keyFile);
  copyFileSync(newer.certFile, certFile);
  process.kill(program.pid, 'SIGHUP');
  await program.announced('reloaded');
  await get({ port, ca: newer.cert });
  t.pass('SIGHUP brought the new certificate');

  writeFileSync(certFile, 'no certificate');
  process.kill(program.pid, 'SIGHUP');
  t.match(await program.announced('reload-failed'), { code: 'CERTIFICATE_INVALID' });
  process.kill(program.pid, 'SIGUSR2');
  t.match(
    await program.announced('restart-failed'),
    { stderr: /CERTIFICATE_INVALID/ },
    'a successor does not start with an invalid certificate',
  );
  await get({ port, ca: newer.cert });
  t.pass('the old certificate stays');

  copyFileSync(newest.keyFile, keyFile);
  copyFileSync(newest.certFile, certFile);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.announced('closed');
  await get({ port, ca: newest.cert });
  t.pass('a successor reads the newest certificate');
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});

t.test('if one server fails, all stop', async (t) => {
  const servers = [{ listen: '127.0.0.1:0' }, { listen: '127.0.0.1:0' }, { listen: '127.0.0.1:0' }];
  const program = start(t, fixture('created'), { args: [JSON.stringify({ servers, idleTimeout: 100 })] });
  const [first, second] = portsOf(await program.announced('ready'));
  const slow = get({ port: first! }, '/?ms=500');
  await waitUntil('the slow request to be in flight', async () => (await get({ port: first! })).status === 200);
  await get({ port: second! }, '/fail');
  t.match(await program.announced('draining'), { reason: 'stop' });
  t.equal((await slow).body, 'slept 500', 'the others finish their requests in flight');
  t.match(await program.announced('failed'), { message: 'accept EBADF' }, 'wait() rejects with the error');
  t.match(await program.exited, { code: 1 });
});

t.test('if one server cannot start, no server does', async (t) => {
  const taken = start(t, fixture('created'), { args: [JSON.stringify({ servers: [{ listen: '127.0.0.1:0' }] })] });
  await taken.announced('ready');
  const address = (taken.all('ready')[0]!['addresses'] as string[])[0]!;
  const socketPath = join(scratch(t), 'app.sock');
  const servers = [{ listen: `unix:${socketPath}` }, { listen: address }];
  const program = start(t, fixture('created'), { args: [JSON.stringify({ servers })] });
  t.match(await program.announced('error'), { code: 'ADDRESS_IN_USE' });
  await program.ended();
  await t.rejects(get({ socketPath }), { code: 'ENOENT' }, 'the others are closed again');
});

t.test('a process that had no free descriptor serves on', async (t) => {
  const FILES = 64;
  const argument = JSON.stringify({ servers: [{ listen: '127.0.0.1:0' }], idleTimeout: 100 });
  const program = start(t, fixture('created'), {
    env: { ARGUMENT: argument },
    shell: `ulimit -n ${FILES}; exec "$NODE" "$PROGRAM" "$ARGUMENT"`,
  });
  const port = portOf(await program.announced('ready'));
  const many = Array.from({ length: FILES }, () => connect({ port }));
  await waitUntil('a full process', () => program.stderr.includes('EMFILE') || many.some((socket) => socket.destroyed));
  many.forEach((socket) => socket.destroy());
  await waitUntil('an answer', () =>
    get({ port }).then(
      () => true,
      () => false,
    ),
  );
  t.equal(program.all('draining').length, 0);
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 0 });
});

t.test('listenAndServe', async (t) => {
  const socketPath = join(scratch(t), 'app.sock');
  const program = start(t, fixture('listen-and-serve'), { args: [JSON.stringify({ listen: `unix:${socketPath}` })] });
  await waitUntil('an answer', () =>
    get({ socketPath }).then(
      ({ body }) => body === 'slept 0',
      () => false,
    ),
  );
  const busy = start(t, fixture('listen-and-serve'), { args: [JSON.stringify({ listen: `unix:${socketPath}` })] });
  t.match(await busy.announced('failed'), { code: 'ADDRESS_IN_USE' });
  t.match(await busy.exited, { code: 3 });
  process.kill(program.pid, 'SIGTERM');
  await program.announced('waited');
  t.match(await program.exited, { code: 0 });
});
