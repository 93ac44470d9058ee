import { readFileSync } from 'node:fs';
import { type Cluster } from 'node:cluster';
import { HANDOFF } from '../../lib/launch/preload-contract.js';
import { errnoCode } from '../../lib/errors.js';
import { takenVariable } from '../../lib/inherit/environment.js';
import { isRunning } from '../../lib/process-table.js';

/** The pids of the processes above this one that have loaded `ts-grace/auto`, the outermost first. */
const MARK = 'GRACE_AUTO';

/** Programs that only start another one, by the folder of their package or their name in `.bin`. They are watched by nobody, and have nothing to hand over. */
const LAUNCHER = /[\\/](npm|pnpm|yarn|corepack|pm2|nodemon|tsx|ts-node-dev|concurrently|cross-env|dotenv-cli)([\\/]|$)/;
/** The file of PM2 that runs the program, in the program's process. */
const PM2_PROGRAM = /[\\/]pm2[\\/]lib[\\/]ProcessContainerFork\.js$/;

const above = (process.env[MARK] ?? '')
  .split(',')
  .map(Number)
  .filter((pid) => pid > 0);

/**
 * Whether this is a worker thread, which has no signals and no sockets of its own.
 * It has no `process.chdir()` either, and to ask for that does not load node:worker_threads.
 */
export function isThread(): boolean {
  try {
    // This changes nothing.
    process.chdir('.');
  } catch (error) {
    return errnoCode(error) === 'ERR_WORKER_UNSUPPORTED_OPERATION';
  }
  return false;
}

/** Lets programs that this process starts know that it has loaded `ts-grace/auto`: `NODE_OPTIONS` loads it there too. */
export function markChildren(): void {
  if (!isLauncher()) process.env[MARK] = [...above, process.pid].join(',');
}

/**
 * Whether the sockets of this process are not to be touched: it is a part of
 * another program, which hands over its own, or it uses node:cluster.
 *
 * @param restart - the signals that restart a process.
 */
export function isAlone(restart: readonly NodeJS.Signals[]): boolean {
  if (isLauncher() || usesCluster()) return true;
  return takenVariable(HANDOFF) === undefined && above.some((pid) => isRunning(pid) && handles(pid, restart));
}

function isLauncher(): boolean {
  const script = process.argv[1] ?? '';
  const [, ...packages] = script.split(/[\\/]node_modules(?=[\\/])/);
  return packages.length > 0 && LAUNCHER.test(packages.at(-1)!) && !PM2_PROGRAM.test(script);
}

function usesCluster(): boolean {
  const { isWorker, workers } = process.getBuiltinModule('node:cluster') as unknown as Cluster;
  return isWorker || Object.keys(workers ?? {}).length > 0;
}

/**
 * Whether a process has a handler for one of these signals, as one that serves by
 * `ts-grace/auto` has: npm and other launchers have no handler for SIGUSR2. True
 * if the system does not tell.
 */
function handles(pid: number, signals: readonly NodeJS.Signals[]): boolean {
  const { constants } = process.getBuiltinModule('node:os');
  try {
    // proc(5): a bit for each signal, 1 is the lowest one.
    const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    const mask = BigInt(`0x${caught}`);
    return signals.some((signal) => (mask >> BigInt(constants.signals[signal] - 1)) & 1n);
  } catch {
    return true;
  }
}
