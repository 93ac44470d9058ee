import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clients } from './clients.js';
import { type Deployment, signal } from './deployment.js';
import { PROBATION_MS, RELEASES, type Release, TIMES } from './program.js';
import { type Random } from './random.js';

/** What a fault can reach. */
export interface Stage {
  readonly deployment: Deployment;
  readonly clients: Clients;
  readonly random: Random;
}

export interface Fault {
  /** Whether it kills a process that serves: requests inside that process are lost with it. */
  readonly kills: boolean;
  /** Whether it may leave no process at all, because it killed the only one. */
  readonly mayEndAll?: boolean;
  /** Whether it needs an old process that stands by. */
  readonly onProbation?: boolean;
  run(stage: Stage): Promise<string>;
}

/** It accepts connections, like its predecessor, from the moment at which it says that it is ready. */
const ACCEPTS = 'dies behind its pid file';
const FAIL_LATER: readonly Release[] = ['says that it is broken', 'blocks on probation', 'has one socket less, and says that it is broken'];
const NOT_BROKEN: readonly string[] = ['good', 'slow', 'throws in a ready listener', ACCEPTS, ...FAIL_LATER];
const BROKEN = (Object.keys(RELEASES) as Release[]).filter((name) => !NOT_BROKEN.includes(name));
/** Within this time a successor has been started. */
const STARTED_WITHIN_MS = 500;

/** The faults by name. Each returns what it did, for the report. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  restart: {
    kills: false,
    run: async ({ deployment }) => restartInto(deployment, 'good'),
  },
  'restart into a program that throws in a listener': {
    kills: false,
    run: async ({ deployment }) => restartInto(deployment, 'throws in a ready listener'),
  },
  'many signals': {
    kills: false,
    run: async ({ deployment, random }) => {
      const count = random.between(2, 40);
      for (let sent = 0; sent < count; sent += 1) {
        signal(deployment.pid, 'SIGUSR2');
        await sleep(random.between(0, 20));
      }
      return `${count} times SIGUSR2`;
    },
  },
  'broken release': {
    kills: false,
    run: async ({ deployment, random }) => {
      const release = random.pick(BROKEN);
      await restartInto(deployment, release);
      await sleep(TIMES.restartTimeout + 3_000);
      return release;
    },
  },
  'release that dies when it has accepted connections': {
    kills: true,
    run: async ({ deployment }) => {
      await restartInto(deployment, ACCEPTS);
      await sleep(TIMES.restartTimeout + 3_000);
      return ACCEPTS;
    },
  },
  'successor killed': {
    kills: false,
    run: async ({ deployment, random }) => {
      const before = deployment.processes;
      await restartInto(deployment, 'slow');
      await sleep(random.between(0, 400));
      const started = deployment.processes.filter((pid) => !before.includes(pid));
      // One that is in the pid file serves, or is about to.
      for (const pid of started) if (pid !== deployment.pid) signal(pid, random.pick(['SIGKILL', 'SIGTERM', 'SIGABRT']));
      return `${started.length} started`;
    },
  },
  'successor stopped': {
    kills: false,
    run: async ({ deployment, random }) => {
      const before = deployment.processes;
      await restartInto(deployment, 'slow');
      await sleep(random.between(0, 400));
      const started = deployment.processes.filter((pid) => !before.includes(pid));
      for (const pid of started) signal(pid, 'SIGSTOP');
      await sleep(random.between(0, TIMES.restartTimeout * 2));
      for (const pid of started) signal(pid, 'SIGCONT');
      await sleep(2_500);
      return `${started.length} stopped`;
    },
  },
  'predecessor stopped': {
    kills: false,
    run: async ({ deployment, random }) => {
      const { pid } = deployment;
      const wait = random.between(0, 300);
      await restartInto(deployment, 'good');
      await sleep(wait);
      signal(pid, 'SIGSTOP');
      const pause = random.between(100, TIMES.restartTimeout * 2);
      await sleep(pause);
      signal(pid, 'SIGCONT');
      return `after ${wait} ms, for ${pause} ms`;
    },
  },
  'predecessor killed': {
    kills: true,
    mayEndAll: true,
    run: async ({ deployment, random }) => {
      const { pid } = deployment;
      const wait = random.between(0, 120);
      await restartInto(deployment, 'good');
      await sleep(wait);
      signal(pid, 'SIGKILL');
      return `after ${wait} ms`;
    },
  },
  'hangs, and its predecessor is killed': {
    kills: true,
    mayEndAll: true,
    run: async ({ deployment, random }) => {
      const pid = await deployment.settled();
      await restartInto(deployment, 'hangs');
      await sleep(random.between(100, 1_000));
      signal(pid, 'SIGKILL');
      await sleep(TIMES.restartTimeout + 1_500);
      const left = deployment.processes;
      if (left.length > 0) throw new Error(`a successor that hangs holds the ports although its predecessor is gone: ${left}`);
      return '';
    },
  },
  'files deleted, then a broken release': {
    kills: false,
    run: async ({ deployment, random, clients }) => {
      // A process that drains would ignore the signal, and nobody would make the files again.
      const pid = await deployment.settled();
      await clients.pause();
      for (const file of ['app.sock', 'app.pid']) if (random.next() < 0.7) rmSync(join(deployment.folder, file), { force: true });
      deployment.write('exits');
      signal(pid, 'SIGUSR2');
      await sleep(1_500);
      clients.resume();
      return '';
    },
  },
  'no descriptor left': {
    kills: false,
    run: async ({ deployment, random, clients }) => {
      // After a restart of the fault before, as the process of the pid file may have just ended otherwise.
      const pid = await deployment.settled();
      // libuv closes what it cannot accept without a descriptor, so nobody connects meanwhile.
      await clients.pause();
      const highest = Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number));
      const limit = highest + 1 + random.between(0, 4);
      if (spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${limit}:`]).status !== 0) return 'skipped: no prlimit';
      await restartInto(deployment, 'good');
      await sleep(STARTED_WITHIN_MS);
      if (deployment.processes.includes(pid)) spawnSync('prlimit', [`--pid=${pid}`, '--nofile=4096:']);
      clients.resume();
      return `limit ${limit}`;
    },
  },
  'release that says that it is broken': {
    kills: false,
    onProbation: true,
    run: async ({ deployment }) => takenBack(deployment, 'says that it is broken'),
  },
  'release with one socket less that says that it is broken': {
    kills: false,
    onProbation: true,
    run: async ({ deployment, clients }) => {
      // The socket that is missing would refuse them meanwhile.
      await clients.pause();
      const told = await takenBack(deployment, 'has one socket less, and says that it is broken');
      clients.resume();
      return told;
    },
  },
  'release that blocks on probation': {
    kills: true,
    onProbation: true,
    run: async ({ deployment }) => takenBack(deployment, 'blocks on probation'),
  },
  'restart taken back by a signal': {
    kills: false,
    onProbation: true,
    run: async ({ deployment, random }) => {
      await restartInto(deployment, 'good');
      const wait = random.between(0, PROBATION_MS);
      await sleep(wait);
      signal(deployment.pid, 'SIGWINCH');
      return `after ${wait} ms`;
    },
  },
  'killed on probation': {
    kills: true,
    mayEndAll: true,
    onProbation: true,
    run: async ({ deployment, random }) => {
      await restartInto(deployment, 'good');
      const wait = random.between(0, PROBATION_MS + 500);
      await sleep(wait);
      signal(deployment.pid, 'SIGKILL');
      return `after ${wait} ms`;
    },
  },
  'stopped on probation': {
    kills: true,
    mayEndAll: true,
    onProbation: true,
    run: async ({ deployment, random }) => {
      await restartInto(deployment, 'good');
      const wait = random.between(0, PROBATION_MS + 500);
      await sleep(wait);
      signal(deployment.pid, 'SIGTERM');
      await sleep(STARTED_WITHIN_MS);
      return `after ${wait} ms`;
    },
  },
};

/** Restarts into a release that fails when it serves, and waits until the old process serves again. */
async function takenBack(deployment: Deployment, release: Release): Promise<string> {
  const pid = await deployment.settled();
  await restartInto(deployment, release);
  await sleep(TIMES.restartTimeout);
  const serving = await deployment.settled();
  if (serving !== pid) throw new Error(`process ${pid} does not serve again, but ${serving}`);
  return release;
}

async function restartInto(deployment: Deployment, release: Release): Promise<string> {
  deployment.write(release);
  signal(deployment.pid, 'SIGUSR2');
  await sleep(10);
  return release;
}
