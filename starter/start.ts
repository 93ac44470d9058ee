import { statSync } from 'node:fs';
import { GraceError, messageOf } from '../lib/errors.js';
import { LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID } from '../lib/systemd/listen-variables.js';
import { onSignals } from '../lib/on-signals.js';
import { checkSystem } from './check-system.js';
import { PidLock } from './control/pid-lock.js';
import { StatusFile } from './control/status-file.js';
import { SystemdNotify } from './control/systemd-notify.js';
import { Environment } from './environment.js';
import { stderrOutput } from './log/log-output.js';
import { openLog } from './log/open-log.js';
import { type Settings, type StartOptions, readStartOptions } from './options.js';
import { assignDescriptors } from './sockets/descriptors.js';
import { openSockets } from './sockets/open-sockets.js';
import { findProgram } from './process/find-program.js';
import { ignoreSignals } from './process/inert-signals.js';
import { reportZombies } from './process/zombies.js';
import { type SignalTargets, handleSignals } from './signals.js';
import { type Hello } from './upgrade/messages.js';
import { UpgradePredecessor, takeSockets } from './upgrade/predecessor.js';
import { Upgrade } from './upgrade/upgrade.js';
import { Superdaemon } from './workers/superdaemon.js';

/** Callbacks for the start. */
export interface StartObserver {
  /** A message of the start, which does not go to the log. Default: it goes to stderr. */
  readonly onMessage?: (message: string) => void;
  /** All sockets are bound and all files are written; the first worker starts next. */
  readonly onBound?: () => void;
  /** A deploy has ended, or a worker while there was none. */
  readonly onIdle?: () => void;
}

/**
 * Binds ports and paths, and runs a server program on them, as Server::Starter's
 * `start_server` does. SIGHUP replaces the workers; SIGTERM and SIGINT stop it.
 *
 * @returns when it was told to stop and all workers have exited.
 * @throws GraceError if it cannot start; then nothing is left behind:
 * `OPTION_INVALID`, `PROGRAM_INVALID`, `ALREADY_RUNNING`, `PID_FILE`,
 * `FILE_INVALID`, `ADDRESS_*`, `NOT_A_SOCKET`, `INHERITANCE_INVALID`
 *
 * @example
 * import { startServer } from 'ts-grace/starter';
 *
 * await startServer({ port: '127.0.0.1:8080', exec: ['node', 'server.js'], workers: 2 });
 */
export async function startServer(options: StartOptions, observer: StartObserver = {}): Promise<void> {
  const upgraded = UpgradePredecessor.find();
  try {
    await start(options, observer, upgraded);
  } catch (error) {
    upgraded?.fails(messageOf(error));
    throw error;
  }
}

async function start(options: StartOptions, observer: StartObserver, upgraded: UpgradePredecessor | undefined): Promise<void> {
  const { onMessage = stderrOutput.say, onBound, onIdle } = observer;
  const settings = readStartOptions(options);
  const environment = new Environment(process.env, settings.variables);
  checkBeforeBinding(settings, environment);

  const early: NodeJS.Signals[] = [];
  const removers = [ignoreSignals(), onSignals(['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR2'], (signal) => early.push(signal))];
  const stopCollecting = (): void => removers.forEach((remove) => remove());
  const cleanups: (() => unknown)[] = [];
  try {
    const { env } = process;
    const before = await upgraded?.hello();
    const lock = openLock(settings.pidFile, before);
    cleanups.unshift(() => before === undefined && lock?.release());
    onMessage(`start_server (pid:${process.pid}) ${before === undefined ? 'starting now...' : `replaces process ${before.pid}`}`);
    const passed = { fds: env[LISTEN_FDS], pid: env[LISTEN_PID], names: env[LISTEN_FDNAMES] };
    const sockets = before === undefined ? await openSockets({ ...settings, passed, say: onMessage }) : takeSockets(before.sockets);
    const closeSockets = once(() => sockets.forEach((socket) => socket.close()));
    cleanups.unshift(() => before === undefined && closeSockets());
    // After the lock and the sockets: a second start that fails must not touch the files of the first one.
    const output = openLog(settings.logFile, before?.log);
    cleanups.push(() => before === undefined && output.close());
    const statusFile = settings.statusFile === undefined ? undefined : new StatusFile(settings.statusFile);
    if (before === undefined) statusFile?.create();
    cleanups.unshift(() => before === undefined && statusFile?.remove());
    await output.prove?.();
    const systemd = new SystemdNotify(env['NOTIFY_SOCKET']);
    const say = (message: string): void => output.say(message);
    const inherited = await upgraded?.takeOver(settings, say);
    cleanups.splice(
      0,
      Infinity,
      closeSockets,
      () => statusFile?.remove(),
      () => lock?.release(),
      () => output.close(),
    );
    if (upgraded !== undefined) lock?.claim();
    const descriptors = assignDescriptors(sockets);
    const superdaemon = new Superdaemon({
      settings,
      descriptors,
      environment,
      output,
      statusFile,
      systemd,
      closeSockets,
      inherited,
      onIdle,
    });
    onBound?.();
    if (process.pid === 1) cleanups.unshift(reportZombies(say));
    const upgrade = new Upgrade({ superdaemon, sockets, lock, output, systemd, onReplaced: () => process.exit(0) });
    cleanups.unshift(handleSignals(targetsOf(superdaemon, upgrade, say), settings.signalOnTerm));
    const running = superdaemon.run();
    if (upgraded !== undefined) await systemd.takeOver();
    upgraded?.serves();
    stopCollecting();
    for (const signal of early) process.emit(signal, signal);
    await running;
    // The last message, before the log is closed.
    cleanups.splice(-1, 0, () => output.say('exiting'));
  } finally {
    stopCollecting();
    for (const cleanup of cleanups) await cleanup();
  }
}

function openLock(path: string | undefined, before: Hello | undefined): PidLock | undefined {
  if (path === undefined) return undefined;
  return before?.lock === undefined ? PidLock.take(path) : PidLock.inherit(path, before.lock);
}

function targetsOf(superdaemon: Superdaemon, upgrade: Upgrade, say: (message: string) => void): SignalTargets {
  return {
    deploy: (message) => {
      if (!upgrade.takes('SIGHUP')) superdaemon.deploy(message);
    },
    stop: (received, signal) => {
      if (!upgrade.takes(received)) superdaemon.stop(received, signal);
    },
    upgrade: () => upgrade.request(),
    passOn: (signal) => superdaemon.signalAll(signal),
    say,
  };
}

function checkBeforeBinding(settings: Settings, environment: Environment): void {
  const {
    exec: [program],
    directory,
  } = settings;
  environment.timing();
  checkSystem(settings);
  if (directory !== undefined && statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new GraceError('OPTION_INVALID', `failed to chdir:${directory}: there is no such directory`, {
      subject: 'dir',
      value: directory,
    });
  }
  findProgram(program, environment.load()['PATH'], directory ?? process.cwd());
}

function once(task: () => void): () => void {
  let done = false;
  return () => {
    if (!done) task();
    done = true;
  };
}
