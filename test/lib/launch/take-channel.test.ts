import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ROOT } from '../../support/sources.js';

const MODULE = pathToFileURL(join(ROOT, 'dist/lib/launch/take-channel.js')).href;

/** A program that says what it sees of its channel on descriptor 3, and sends what it receives back through it. */
const PROGRAM = `
  import { takeChannel } from ${JSON.stringify(MODULE)};
  const fd = process.channel?.fd;
  const wrong = takeChannel(fd + 1);
  const channel = takeChannel(fd);
  process.on('message', () => console.log('a message'));
  process.on('disconnect', () => console.log('disconnected'));
  process.on('internalMessage', ({ cmd }) => cmd.startsWith('NODE_GRACE') && channel.send({ cmd: 'NODE_GRACE_BACK' }));
  channel.onEnd = () => { console.log('ended', channel.ended); channel.send({ cmd: 'NODE_GRACE_LATE' }); };
  channel.send({ cmd: 'NODE_GRACE_READY' });
  console.log(wrong, typeof process.send, process.connected, 'send' in process, Object.keys(process).includes('disconnect'));
`;

function launch(t: Test, code: string): ChildProcess {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

t.test('a program does not see the channel, nor its end; messages go both ways', async (t) => {
  const child = launch(t, `${PROGRAM} setInterval(() => {}, 1000);`);
  const said = text(child.stdout!);
  t.strictSame(await once(child, 'internalMessage'), [{ cmd: 'NODE_GRACE_READY' }, undefined]);
  child.send({ cmd: 'NODE_GRACE_FORTH' });
  const [message] = (await once(child, 'internalMessage')) as [{ cmd: string }];
  t.equal(message.cmd, 'NODE_GRACE_BACK');
  const exit = once(child, 'exit');
  child.disconnect();
  await new Promise((done) => setTimeout(done, 200));
  t.equal(child.exitCode, null, 'the end of the channel does not end the program');
  child.kill();
  await exit;
  t.equal(await said, 'undefined undefined undefined false false\nended true\n');
});

t.test('the channel does not keep a program alive, not even one that listens for messages', async (t) => {
  const child = launch(t, PROGRAM);
  t.strictSame(await once(child, 'exit'), [0, null]);
});

/** As a successor is started: Node.js does not open the channel. */
const LATER = `
  import { takeChannel } from ${JSON.stringify(MODULE)};
  const before = typeof process.send;
  const channel = takeChannel(3);
  console.log(before, process.channel, 'NODE_CHANNEL_FD' in process.env);
  process.on('internalMessage', ({ cmd }) => cmd.startsWith('NODE_GRACE') && channel.send({ cmd: 'NODE_GRACE_BACK' }));
  channel.open();
  channel.open();
  channel.send({ cmd: 'NODE_GRACE_READY' });
  console.log(typeof process.send, process.connected);
  setInterval(() => {}, 1000);
`;

t.test('an empty NODE_CHANNEL_FD keeps Node.js from opening the channel; it is opened later, and works as always', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', LATER], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'], NODE_CHANNEL_FD: '' },
  });
  t.teardown(() => child.kill('SIGKILL'));
  const said = text(child.stdout!);
  t.strictSame(await once(child, 'internalMessage'), [{ cmd: 'NODE_GRACE_READY' }, undefined]);
  child.send({ cmd: 'NODE_GRACE_FORTH' });
  const [message] = (await once(child, 'internalMessage')) as [{ cmd: string }];
  t.equal(message.cmd, 'NODE_GRACE_BACK');
  child.kill();
  t.equal(await said, 'undefined undefined false\nundefined undefined\n');
});
