import { setTimeout as sleep } from 'node:timers/promises';
import { type Program } from '../program.js';
import { type Http2Load } from './load.js';

/** How long each process serves before the next restart. Milliseconds. */
const SERVE_MS = 1_000;
/** How many answers each load gets from each generation, before the next restart. */
const ENOUGH = 30;

/**
 * Restarts a program under loads, and waits each time until the old process has ended; then stops the loads.
 *
 * @param answers - how many each of the loads gets from each generation.
 */
export async function restartUnder(
  program: Program,
  loads: readonly Http2Load[],
  restarts: number,
  answers: readonly number[] = [],
): Promise<void> {
  const served = (): Promise<unknown> =>
    Promise.all(loads.map((load, index) => load.answeredBy(program.serving, answers[index] ?? ENOUGH)));
  await served();
  await sleep(SERVE_MS);
  for (let restart = 1; restart <= restarts; restart += 1) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await served();
    await sleep(SERVE_MS);
    await program.announced('closed', restart);
  }
  await Promise.all(loads.map((load) => load.stop()));
}

/** A row of a table: what became of the requests of a load. */
export function rowOf({ options: { kind, clients, loops = 1, retries }, sent, refused, lost, longestWait }: Http2Load): string {
  const who = `${kind}, ${clients} × ${loops}${retries ? ', retries' : ''}`;
  return `${who.padEnd(34)} ${String(sent).padStart(7)} sent ${String(refused).padStart(4)} refused ${String(lost.length).padStart(4)} lost, longest ${Math.round(longestWait)} ms`;
}
