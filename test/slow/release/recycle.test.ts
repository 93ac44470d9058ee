import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { Load } from '../../support/http/load.js';
import { isAlive, resident } from '../../support/proc.js';
import { type Program, fixture, start } from '../../support/program.js';

const MIB = 1024 * 1024;
const LIMIT_MIB = 200;
const LEAK_BYTES = 200 * 1024;
const CLIENTS_OF_A_KIND = 3;
const RECYCLES = 5;
const SAMPLE_EVERY_MS = 50;

t.setTimeout(150_000);

/** Memory of each process of a program that runs, in MiB. */
function memory(program: Program): number[] {
  return program.pids.filter(isAlive).map((pid) => resident(pid) / 1024);
}

t.test('a server that leaks under load recycles itself: no request is lost, and memory has a limit', async (t) => {
  const recycle = { rss: LIMIT_MIB * MIB, minInterval: 500, interval: 100 };
  const program = start(t, fixture('release/leaking'), { args: [JSON.stringify({ bytes: LEAK_BYTES, probation: 500, recycle })] });
  const load = new Load([{ port: portOf(await program.announced('ready')) }], CLIENTS_OF_A_KIND);
  let largest = 0;
  let together = 0;
  let processes = 0;
  while (program.all('closed').length < RECYCLES) {
    const now = memory(program);
    largest = Math.max(largest, ...now);
    together = Math.max(
      together,
      now.reduce((sum, mib) => sum + mib, 0),
    );
    processes = Math.max(processes, now.length);
    await sleep(SAMPLE_EVERY_MS);
  }
  const { answered, lost, pids } = await load.stop();
  t.comment(
    `${answered} requests, ${pids.size} processes, at most ${processes} at the same time; ` +
      `the largest had ${largest.toFixed(0)} MiB, all together ${together.toFixed(0)} MiB; the limit is ${LIMIT_MIB} MiB`,
  );
  t.strictSame(lost, []);
  // It goes on leaking while the next one starts.
  t.ok(largest < 2 * LIMIT_MIB, `${largest.toFixed(0)} MiB`);
  t.ok(together < 4 * LIMIT_MIB, `${together.toFixed(0)} MiB`);
  await program.logged(`resident, more than ${LIMIT_MIB}`);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});
