import { closeSync, openSync } from 'node:fs';
import net from 'node:net';
import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { converse } from '../../support/http/conversation.js';
import { type Program, fixture, start } from '../../support/program.js';
import { descriptorOf, listening } from '../../support/sockets.js';

function startEcho(t: Test, listen: string, passed: readonly number[] = []): Program {
  return start(t, fixture('echo'), { args: [JSON.stringify({ listen })], passed });
}

t.test('fd:3 is served, and stays the same socket over restarts', async (t) => {
  const held = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const where = { port: portOf(held), host: '127.0.0.1' };
  const program = startEcho(t, 'fd:3', [descriptorOf(held)]);
  t.match(await program.announced('ready'), { addresses: [`127.0.0.1:${where.port}`], generation: 1 });
  // Otherwise this process would accept too.
  held.close();
  t.equal(await converse(where, 1), program.pid);
  for (const generation of [2, 3]) {
    process.kill(program.serving, 'SIGUSR2');
    t.match(await program.announced('ready', generation), { addresses: [`127.0.0.1:${where.port}`], generation });
    await program.announced('closed', generation - 1);
    t.equal(await converse(where, 1), program.serving);
  }
});

t.test('fd:3 that is not open or not a listening socket is an error that says what it is', async (t) => {
  const file = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(file));
  for (const [what, listen, passed] of [
    ['a file', 'fd:3', [file]],
    ['nothing', 'fd:999', []],
  ] as const) {
    const program = startEcho(t, listen, passed);
    const message = `cannot listen on ${listen}: it is ${what === 'a file' ? 'not a socket' : 'closed'}, expected a listening socket`;
    t.match(
      await program.announced('error'),
      { code: 'INHERITANCE_INVALID', subject: 'fd', value: Number(listen.slice(3)), message },
      what,
    );
    t.match(await program.exited, { code: 1 });
  }
});

t.test('an abstract unix socket is kept over restarts, and taken from no other process', async (t) => {
  const name = `grace-test-${process.pid}`;
  const where = { path: `\0${name}` };
  const program = startEcho(t, `unix:@${name}`);
  t.match(await program.announced('ready'), { addresses: [`unix:@${name}`] });
  t.equal(await converse(where, 1), program.pid);
  const second = startEcho(t, `unix:@${name}`);
  t.match(await second.announced('error'), { code: 'ADDRESS_IN_USE', value: `unix:@${name}` });
  await second.ended();
  for (const generation of [2, 3]) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', generation);
    await program.announced('closed', generation - 1);
    t.equal(await converse(where, 1), program.serving);
  }
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  await t.rejects(converse(where, 1), { code: 'ECONNREFUSED' }, 'it is gone with its last process');
});
