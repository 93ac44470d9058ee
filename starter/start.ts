import { statSync } from 'node:fs';
import { GraceError } from '../lib/errors.js';
import { LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID } from '../lib/systemd/listen-variables.js';
import { onSignals } from '../lib/on-signals.js';
import { Environment } from './environment.js';
import { asInit } from './workers/process-one.js';
import { layOut } from './sockets/descriptors.js';
import { type StartOptions, readStartOptions } from './options.js';
import { openOutput, toStderr } from './log/open-log.js';
import { PidLock } from './control/pid-lock.js';
import { findProgram } from './workers/find-program.js';
import { openSockets } from './sockets/open-sockets.js';
import { StatusFile } from './control/status-file.js';
import { Superdaemon } from './workers/superdaemon.js';
import { Systemd } from './control/systemd-notify.js';

/** Who wants to know how the start goes. */
export interface StartObserver {
  /** What start_server has to say before it writes to its log. */
  readonly say?: (message: string) => void;
  /** Everything is bound and every file is written; the first worker is about to be started. */
  readonly onBound?: () => void;
}

/**
 * Binds ports and paths, and runs a server program on them: Server::Starter's
 * `start_server`. SIGHUP replaces the workers, SIGTERM and SIGINT end it.
 *
 * @returns when it was told to stop and no worker is left.
 * @throws GraceError where it cannot begin, with nothing left behind:
 * `OPTION_INVALID`, `PROGRAM_INVALID`, `ALREADY_RUNNING`, `PID_FILE`,
 * `FILE_INVALID`, `ADDRESS_*`, `NOT_A_SOCKET`, `INHERITANCE_INVALID`
 *
 * @example
 * await startServer({ port: '127.0.0.1:8080', exec: ['node', 'server.js'], workers: 2 });
 */
export async function startServer(options: StartOptions, observer: StartObserver = {}): Promise<void> {
  const { say = toStderr.say, onBound } = observer;
  const settings = readStartOptions(options);
  const environment = new Environment(process.env, settings.variables);
  environment.timing();
  checkDirectory(settings.directory);
  findProgram(settings.exec[0], environment.load()['PATH'], settings.directory ?? process.cwd());

  const early: NodeJS.Signals[] = [];
  const stopWaiting = onSignals(['SIGHUP', 'SIGTERM', 'SIGINT'], (signal) => early.push(signal));
  const undo: (() => unknown)[] = [];
  try {
    const { pidFile, statusFile: statusPath } = settings;
    const lock = pidFile === undefined ? undefined : PidLock.take(pidFile);
    undo.unshift(() => lock?.release());
    const statusFile = statusPath === undefined ? undefined : new StatusFile(statusPath);
    undo.unshift(() => statusFile?.remove());
    const output = await openOutput(settings.logFile);
    undo.push(() => output.close());
    say(`start_server (pid:${process.pid}) starting now...`);
    const { env } = process;
    const passed = { fds: env[LISTEN_FDS], pid: env[LISTEN_PID], names: env[LISTEN_FDNAMES] };
    const sockets = await openSockets({ ...settings, passed, say });
    const closeSockets = once(() => sockets.forEach((socket) => socket.close()));
    undo.unshift(closeSockets);
    const superdaemon = new Superdaemon({
      settings,
      layout: layOut(sockets),
      environment,
      output,
      statusFile,
      supervisor: new Systemd(env['NOTIFY_SOCKET']),
      closeSockets,
    });
    onBound?.();
    if (process.pid === 1) undo.unshift(asInit((signal) => superdaemon.signalAll(signal), output.say.bind(output)));
    const running = superdaemon.run();
    stopWaiting();
    for (const signal of early) process.emit(signal, signal);
    await running;
    undo.splice(-1, 0, () => output.say('exiting'));
  } finally {
    stopWaiting();
    for (const step of undo) await step();
  }
}

function checkDirectory(directory: string | undefined): void {
  if (directory === undefined || statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new GraceError('OPTION_INVALID', `failed to chdir:${directory}: there is no such directory`, {
    subject: 'dir',
    value: directory,
  });
}

function once(task: () => void): () => void {
  let done = false;
  return () => {
    if (!done) task();
    done = true;
  };
}
