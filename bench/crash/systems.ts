import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pm2Command } from '../packages/pm2.js';

/** What keeps the workers running. */
export interface System {
  readonly name: string;
  /** Starts that many workers on a port of 127.0.0.1; returns what ends all of them. */
  start(port: number, workers: number): () => Promise<unknown>;
}

const WORKER = pathOf('worker.js');

const startServer: System = {
  name: 'start_server',
  start: (port, workers) => {
    const options = [`--port=127.0.0.1:${port}`, `--workers=${workers}`];
    return endOf(run([pathOf('../../starter/cli/main.js'), ...options, '--', process.execPath, WORKER]));
  },
};

const nodeCluster: System = {
  name: 'node:cluster',
  start: (port, workers) => endOf(run([pathOf('cluster.js'), String(workers)], { PORT: String(port) })),
};

/** All that can run here. */
export function systems(): System[] {
  const pm2 = pm2Command();
  if (pm2 === undefined) console.log('PM2 is left out: npm cannot install it');
  return [startServer, nodeCluster, ...(pm2 === undefined ? [] : [pm2System(pm2)])];
}

/** @param command - the file of its command, to be run by Node.js. */
function pm2System(command: string): System {
  return {
    name: 'PM2',
    start: (port, workers) => {
      const home = mkdtempSync(join(tmpdir(), 'grace-bench-pm2-'));
      const env = { ...process.env, HOME: home, PM2_HOME: home, PORT: String(port) };
      const pm2 = (...args: readonly string[]): unknown => execFileSync(process.execPath, [command, ...args], { env, stdio: 'ignore' });
      pm2('start', WORKER, '-i', String(workers));
      return async () => {
        pm2('kill');
        rmSync(home, { recursive: true, force: true });
      };
    },
  };
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
}

function endOf(child: ChildProcess): () => Promise<unknown> {
  return () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    return exited;
  };
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
