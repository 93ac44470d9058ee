import http from 'node:http';
import { median } from './peers/results/statistics.js';
import { type Kind, Program } from './program.js';

const ROUNDS = 25;

interface Start {
  /** Milliseconds from spawn, or SIGUSR2, to the first response of the new process. */
  readonly response: number;
  /** Milliseconds that the new process had run when it listened. */
  readonly listening: number;
}

interface Round {
  readonly bare: Start;
  readonly restart: Start;
}

/** Time from SIGUSR2 to the first response of the new process, divided by the time that a bare server takes from spawn to its first response. */
export async function restartTime(): Promise<number> {
  const rounds = await roundsOf('ours');
  return median(rounds.map(({ bare, restart }) => restart.response / bare.response));
}

/** Milliseconds that a successor takes longer than a bare server: until it listens, or until it answers, with all that a restart costs. */
export async function restartCost(kind: Kind, until: keyof Start): Promise<number> {
  const rounds = await roundsOf(kind);
  return median(rounds.map(({ bare, restart }) => restart[until] - bare[until]));
}

const measured = new Map<Kind, Promise<readonly Round[]>>();

/** All figures of a kind come from one run. */
function roundsOf(kind: Kind): Promise<readonly Round[]> {
  const known = measured.get(kind) ?? measureRounds(kind);
  measured.set(kind, known);
  return known;
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
    const { age } = await ours.facts('port');
    while (pid === old) pid = await answeringPid(port);
    rounds.push({ bare, restart: { response: performance.now() - begun, listening: age! } });
    // The old process exits before the next round, so that all rounds start alike.
    while (isAlive(old)) await answeringPid(port);
  }
  await ours.end(pid);
  return rounds;
}

async function bareStart(): Promise<Start> {
  const begun = performance.now();
  const bare = new Program('bare');
  const { port, age } = await bare.facts('port');
  await answeringPid(port!);
  const response = performance.now() - begun;
  await bare.end();
  return { response, listening: age! };
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
