import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeCertificate, scratch } from '../support/certificate.js';
import { connect, get } from '../support/clients.js';
import { type Program, fixture, start } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

function portsOf(program: Program): number[] {
  return (program.all('ready').at(-1)!['addresses'] as string[]).map((address) => Number(address.split(':').at(-1)));
}

t.test('certificates are read again on SIGHUP and by a successor', async (t) => {
  const [folder, second, third] = [scratch(t), scratch(t), scratch(t)];
  const { keyFile, certFile, cert } = makeCertificate(folder);
  const [newer, newest] = [makeCertificate(second), makeCertificate(third)];
  const servers = [{ listen: '127.0.0.1:0', tls: { key: keyFile, cert: certFile } }];
  const program = start(t, fixture('created'), { args: [JSON.stringify({ servers })] });
  await program.announced('ready');
  const [port] = portsOf(program);
  await get({ port: port!, ca: cert });

  copyFileSync(newer.keyFile, keyFile);
  copyFileSync(newer.certFile, certFile);
  process.kill(program.pid, 'SIGHUP');
  await program.announced('reloaded');
  await get({ port: port!, ca: newer.cert });
  t.pass('SIGHUP brought the new one');

  writeFileSync(certFile, 'nothing');
  process.kill(program.pid, 'SIGHUP');
  t.match(await program.announced('reload-failed'), { code: 'CERTIFICATE_INVALID' });
  process.kill(program.pid, 'SIGUSR2');
  t.match(await program.announced('restart-failed'), { stderr: /CERTIFICATE_INVALID/ }, 'a successor does not start with it');
  await get({ port: port!, ca: newer.cert });
  t.pass('the old one stays');

  copyFileSync(newest.keyFile, keyFile);
  copyFileSync(newest.certFile, certFile);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.announced('closed');
  await get({ port: port!, ca: newest.cert });
  t.pass('a successor reads what is there');
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});

t.test('servers live and end together', async (t) => {
  const servers = [{ listen: '127.0.0.1:0' }, { listen: '127.0.0.1:0' }, { listen: '127.0.0.1:0' }];
  const program = start(t, fixture('created'), { args: [JSON.stringify({ servers, idleTimeout: 100 })] });
  await program.announced('ready');
  const [first, second] = portsOf(program);
  const slow = get({ port: first! }, '/?ms=500');
  await waitUntil('the slow one under way', async () => (await get({ port: first! })).status === 200);
  await get({ port: second! }, '/fail');
  t.match(await program.announced('draining'), { reason: 'stop' });
  t.equal((await slow).body, 'slept 500', 'the others finish what they have');
  t.match(await program.announced('failed'), { message: 'accept EBADF' }, 'the error is that of wait()');
  t.match(await program.exited, { code: 1 });
});

t.test('where one cannot start none does', async (t) => {
  const taken = start(t, fixture('created'), { args: [JSON.stringify({ servers: [{ listen: '127.0.0.1:0' }] })] });
  await taken.announced('ready');
  const address = (taken.all('ready')[0]!['addresses'] as string[])[0]!;
  const socketPath = join(scratch(t), 'app.sock');
  const servers = [{ listen: `unix:${socketPath}` }, { listen: address }];
  const program = start(t, fixture('created'), { args: [JSON.stringify({ servers })] });
  t.match(await program.announced('error'), { code: 'ADDRESS_IN_USE' });
  await program.ended();
  await t.rejects(get({ socketPath }), { code: 'ENOENT' }, 'nothing is left of the others');
});

t.test('a process that has no descriptors left serves on', async (t) => {
  const FILES = 64;
  const argument = JSON.stringify({ servers: [{ listen: '127.0.0.1:0' }], idleTimeout: 100 });
  const program = start(t, fixture('created'), {
    env: { ARGUMENT: argument },
    shell: `ulimit -n ${FILES}; exec "$NODE" "$PROGRAM" "$ARGUMENT"`,
  });
  await program.announced('ready');
  const [port] = portsOf(program);
  const many = Array.from({ length: FILES }, () => connect({ port: port! }));
  await waitUntil('a full process', () => program.stderr.includes('EMFILE') || many.some((socket) => socket.destroyed));
  many.forEach((socket) => socket.destroy());
  await waitUntil('an answer', () => get({ port: port! }).then(() => true, () => false));
  t.equal(program.all('draining').length, 0);
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 0 });
});

t.test('listenAndServe', async (t) => {
  const socketPath = join(scratch(t), 'app.sock');
  const program = start(t, fixture('listen-and-serve'), { args: [JSON.stringify({ listen: `unix:${socketPath}` })] });
  await waitUntil('an answer', () => get({ socketPath }).then(({ body }) => body === 'slept 0', () => false));
  const busy = start(t, fixture('listen-and-serve'), { args: [JSON.stringify({ listen: `unix:${socketPath}` })] });
  t.match(await busy.announced('failed'), { code: 'ADDRESS_IN_USE' });
  t.match(await busy.exited, { code: 3 });
  process.kill(program.pid, 'SIGTERM');
  await program.announced('waited');
  t.match(await program.exited, { code: 0 });
});
