import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const CONNECTIONS = 32;
const SECONDS = 2;

export const WRK = spawnSync('wrk', ['-v']).error === undefined;

/** Requests a second of a saturated server; null without wrk. */
export async function requestRate(port: number): Promise<number | null> {
  if (!WRK) return null;
  const wrk = spawn('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, `http://127.0.0.1:${port}/`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  wrk.stdout.on('data', (data: Buffer) => (text += data.toString()));
  await once(wrk, 'close');
  return Math.round(Number(/Requests\/sec: *([\d.]+)/.exec(text)?.[1]));
}
