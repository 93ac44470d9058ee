import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clients } from '../clients.js';
import { signal } from '../deployment.js';
import { type Random } from '../random.js';
import { type Service } from './service.js';

/** What a fault can reach. */
export interface Stage {
  readonly service: Service;
  readonly clients: Clients;
  readonly random: Random;
}

export interface Fault {
  /** Whether it kills a worker that serves: requests inside that process are lost with it. */
  readonly kills: boolean;
  run(stage: Stage): Promise<string>;
}

const HARMLESS = ['SIGUSR1', 'SIGPIPE', 'SIGALRM', 'SIGVTALRM', 'SIGWINCH', 'SIGIO', 'SIGPWR', 'SIGXCPU', 'SIGXFSZ', 'SIGCONT'] as const;
const BROKEN = ['exits', 'throws', 'kills itself', 'dies when it is ready'] as const;

/** The faults by name. Each returns what it did, for the report. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  deploy: {
    kills: false,
    run: async ({ service }) => {
      signal(service.pid, 'SIGHUP');
      await sleep(50);
      return '';
    },
  },
  'many signals': {
    kills: false,
    run: async ({ service, random }) => {
      const count = random.between(2, 30);
      for (let sent = 0; sent < count; sent += 1) {
        signal(service.pid, random.pick(['SIGHUP', 'SIGUSR2', ...HARMLESS]));
        await sleep(random.between(0, 30));
      }
      await sleep(100);
      return `${count} signals`;
    },
  },
  'broken release': {
    kills: false,
    run: async ({ service, random }) => {
      const how = random.pick(BROKEN);
      service.break(how);
      signal(service.pid, 'SIGHUP');
      await sleep(random.between(100, 1_500));
      service.break(undefined);
      signal(service.pid, 'SIGHUP');
      return how;
    },
  },
  upgrade: {
    kills: false,
    run: async ({ service, random }) => {
      if (random.next() < 0.5) signal(service.pid, 'SIGHUP');
      signal(service.pid, 'SIGUSR2');
      await sleep(random.between(0, 300));
      if (random.next() < 0.3) signal(service.pid, 'SIGHUP');
      await sleep(100);
      return '';
    },
  },
  'worker killed': {
    kills: true,
    run: async ({ service, random }) => {
      if (random.next() < 0.3) signal(service.pid, 'SIGHUP');
      await sleep(random.between(0, 300));
      signal(random.pick(service.serving.length > 0 ? service.serving : [0x7fff_ffff]), random.pick(['SIGKILL', 'SIGABRT', 'SIGSEGV']));
      return '';
    },
  },
  'worker stopped for a moment': {
    kills: false,
    run: async ({ service, random }) => {
      const pid = random.pick(service.serving);
      signal(pid, 'SIGSTOP');
      await sleep(random.between(50, 700));
      signal(pid, 'SIGCONT');
      return '';
    },
  },
  'start_server stopped for a moment': {
    kills: false,
    run: async ({ service, random }) => {
      signal(service.pid, 'SIGHUP');
      await sleep(random.between(0, 400));
      const { pid } = service;
      signal(pid, 'SIGSTOP');
      await sleep(random.between(50, 1_500));
      signal(pid, 'SIGCONT');
      return '';
    },
  },
  'no descriptor left': {
    kills: false,
    run: async ({ service, random }) => {
      const { pid } = service;
      const highest = Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number));
      const limit = highest + 1 + random.between(0, 6);
      if (spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${limit}:`]).status !== 0) return 'skipped: no prlimit';
      signal(pid, random.pick(['SIGHUP', 'SIGUSR2']));
      await sleep(random.between(100, 1_000));
      for (const each of new Set([pid, service.pid])) spawnSync('prlimit', [`--pid=${each}`, '--nofile=4096:']);
      signal(service.pid, 'SIGHUP');
      return `limit ${limit}`;
    },
  },
  'full disk': {
    kills: false,
    run: async ({ service, random }) => {
      const { pid } = service;
      // RLIMIT_FSIZE: what is written to a file fails with EFBIG, as it does with ENOSPC on a full disk.
      if (spawnSync('prlimit', [`--pid=${pid}`, '--fsize=0:']).status !== 0) return 'skipped: no prlimit';
      signal(pid, 'SIGHUP');
      await sleep(random.between(100, 1_000));
      spawnSync('prlimit', [`--pid=${pid}`, '--fsize=unlimited:']);
      // Workers that were started meanwhile have the limit too.
      signal(service.pid, 'SIGHUP');
      return '';
    },
  },
};
