import http from 'node:http';
import { median } from './peers/results/statistics.js';
import { type Kind, Program } from './program.js';

const ROUNDS = 25;

interface Round {
  /** Milliseconds that a bare server takes from spawn to its first response. */
  readonly bare: number;
  /** Milliseconds from SIGUSR2 to the first response of the new process. */
  readonly restart: number;
}

/** Time from SIGUSR2 to the first response of the new process, divided by the time that a bare server takes from spawn to its first response. */
export async function restartTime(): Promise<number> {
  const rounds = await measureRounds('ours');
  return median(rounds.map(({ bare, restart }) => restart / bare));
}

/** Milliseconds that `ts-grace/auto` adds to the start of a successor of the bare server, with all that a restart costs. */
export async function autoCost(): Promise<number> {
  const rounds = await measureRounds('auto');
  return median(rounds.map(({ bare, restart }) => restart - bare));
}

async function measureRounds(kind: Kind): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  const ours = new Program(kind);
  const port = await ours.fact('port');
  let pid = await answeringPid(port);
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = await bareStart();
    const begun = performance.now();
    process.kill(pid, 'SIGUSR2');
    const old = pid;
    // As with the bare server, wait for its line and then ask. The old process may still answer once.
    await ours.fact('port');
    while (pid === old) pid = await answeringPid(port);
    rounds.push({ bare, restart: performance.now() - begun });
    // The old process exits before the next round, so that all rounds start alike.
    while (isAlive(old)) await answeringPid(port);
  }
  await ours.end(pid);
  return rounds;
}

async function bareStart(): Promise<number> {
  const begun = performance.now();
  const bare = new Program('bare');
  await answeringPid(await bare.fact('port'));
  const time = performance.now() - begun;
  await bare.end();
  return time;
}

/** One request on a connection of its own. */
function answeringPid(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(Number(response.headers['x-pid'])));
    });
    request.on('error', reject);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
