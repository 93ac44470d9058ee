import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../load/records.js';
import { type Timeline, type TurnResult } from '../results/turn-result.js';
import { type Running, type System } from '../systems/system.js';
import { LoadProcess } from './load-process.js';
import { Place } from './place.js';
import { isAlive } from './processes.js';
import { rounded } from '../results/statistics.js';
import { type Moments, summarize, timelineOf } from './summary.js';
import { came } from './wait.js';
import { requestRate } from './wrk.js';

const WARM_MS = 700;
const QUIET_MS = 1_000;
/** The longest wait for the end of the old process. */
const GONE_MS = 15_000;
const AFTER_MS = 2_000;
const MEMORY_EVERY_MS = 100;

/** One restart of one system under load. */
export async function measureTurn(system: System): Promise<{ readonly result: TurnResult; readonly timeline: Timeline }> {
  const place = await Place.make();
  try {
    const running = await system.start(place);
    await place.answer();
    return await measure(place, running);
  } finally {
    await place.end();
  }
}

async function measure(place: Place, running: Running): Promise<{ readonly result: TurnResult; readonly timeline: Timeline }> {
  const load = new LoadProcess(place.port);
  await sleep(WARM_MS);
  const quiet = now();
  await sleep(QUIET_MS);
  const old = await load.answering();
  const memory = place.memory();
  let memoryPeak = memory;
  const sampling = setInterval(() => (memoryPeak = Math.max(memoryPeak, place.memory())), MEMORY_EVERY_MS);
  const restart = now();
  const restarting = running.restart();
  const isGone = await came(() => ![...old].some(isAlive), GONE_MS);
  const gone = now();
  await restarting;
  await place.answer(old);
  await sleep(Math.max(AFTER_MS / 4, restart + AFTER_MS - now()));
  const moments: Moments = { quiet, restart, end: now(), old };
  clearInterval(sampling);
  const records = await load.end();
  const before = records.filter(({ end, pid }) => pid <= 0 && end < restart);
  if (before.length > 0) throw new Error(`${before.length} requests were lost before the restart`);
  const seen = summarize(records, moments);
  return {
    result: {
      ...seen,
      oldGone: isGone ? rounded(gone - restart, 1) : null,
      rate: await requestRate(place.port),
      memory: rounded(memory, 1),
      memoryPeak: rounded(memoryPeak, 1),
    },
    timeline: timelineOf(records, moments),
  };
}
