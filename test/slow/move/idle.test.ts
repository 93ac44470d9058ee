import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { get } from '../../support/http/client.js';
import { IdleClients } from '../../support/http/idle-clients.js';
import { type Stop } from '../../fixtures/move/loop-watch.js';
import { type Program, fixture, start } from '../../support/program.js';

const CONNECTIONS = 10_000;
/** A clean machine takes a third of it. */
const LONGEST_MOVE_MS = 5_000;
const LONGEST_STOP_MS = 20;
const RESTARTS = 20;
/** What a process may need more of after many restarts than after one. */
const DESCRIPTORS = 2;
const MEMORY_BYTES = 1_000_000;

interface Facts {
  readonly stop: Stop;
  readonly descriptors: number;
  readonly memory: number;
  readonly open: number;
  readonly moved: number;
}

t.setTimeout(180_000);

async function serve(t: Test): Promise<{ program: Program; port: number }> {
  const program = start(t, fixture('move/watched'), { nodeArgs: ['--expose-gc'] });
  return { program, port: portOf(await program.announced('ready')) };
}

/** Restarts, waits until the old process has left, and returns what it said of its drain. */
async function restart(program: Program, nth: number): Promise<{ milliseconds: number; moved: number; stop: Stop }> {
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', nth + 1);
  const begin = await program.announced('begin', nth);
  const end = await program.announced('end', nth);
  return { milliseconds: Number(end['at']) - Number(begin['at']), moved: Number(end['moved']), stop: end['stop'] as Stop };
}

async function factsOf(port: number): Promise<Facts> {
  return JSON.parse((await get({ port }, '/facts')).body) as Facts;
}

/** Prints how long the event loops stop when plain Node.js starts a process and sends it all connections, to compare. */
async function printBareStops(t: Test): Promise<void> {
  const program = start(t, fixture('move/bare'));
  const port = portOf(await program.announced('ready'));
  const clients = await IdleClients.connect(t, port, CONNECTIONS);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('bare', 2);
  for (const { who, stop } of program.all('bare')) {
    const { elapsed, computed } = stop as Stop;
    t.comment(`plain Node.js, ${who} process: ${elapsed.toFixed(1)} ms by the clock, ${computed.toFixed(1)} ms computed`);
  }
  clients.destroy();
  await program.ended();
}

t.test(
  `${CONNECTIONS} idle connections move in ${LONGEST_MOVE_MS} ms, and neither process stops its event loop for ${LONGEST_STOP_MS} ms`,
  async (t) => {
    await printBareStops(t);
    const { program, port } = await serve(t);
    const clients = await IdleClients.connect(t, port, CONNECTIONS);
    for (const nth of [1, 2]) {
      const { milliseconds, moved, stop } = await restart(program, nth);
      const facts = await factsOf(port);
      t.equal(moved, CONNECTIONS);
      t.equal(facts.moved, CONNECTIONS);
      t.ok(milliseconds < LONGEST_MOVE_MS, `moved in ${milliseconds.toFixed(0)} ms`);
      for (const [who, { computed, elapsed }] of [
        ['old', stop],
        ['new', facts.stop],
      ] as const) {
        // Not asserted: with the clients there are three processes, and two cores may make one of them wait.
        t.comment(`the ${who} process did not turn its event loop for ${elapsed.toFixed(1)} ms by the clock`);
        t.ok(computed < LONGEST_STOP_MS, `the ${who} process computed ${computed.toFixed(1)} ms between two turns of its event loop`);
      }
      t.equal(clients.ended, 0, 'no connection is closed');
    }
    t.strictSame(await clients.ask(), new Map([[program.serving, CONNECTIONS]]), 'the newest process answers each of them');
    clients.destroy();
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
  },
);

t.test(`${RESTARTS} restarts leave no descriptor and no memory behind`, async (t) => {
  const { program, port } = await serve(t);
  const clients = await IdleClients.connect(t, port, 200);
  const facts: Facts[] = [];
  for (let nth = 1; nth <= RESTARTS; nth += 1) {
    await restart(program, nth);
    // The connection of the last question has to leave.
    await sleep(10);
    facts.push(await factsOf(port));
  }
  t.equal(clients.ended, 0);
  const [first, last] = [facts[0]!, facts.at(-1)!];
  t.comment(`descriptors ${facts.map(({ descriptors }) => descriptors).join(' ')}`);
  t.comment(`memory ${facts.map(({ memory }) => Math.round(memory / 1000)).join(' ')} kB`);
  t.ok(last.descriptors <= first.descriptors + DESCRIPTORS, `${first.descriptors} descriptors, then ${last.descriptors}`);
  t.ok(last.memory <= first.memory + MEMORY_BYTES, `${first.memory} bytes, then ${last.memory}`);
  clients.destroy();
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});
