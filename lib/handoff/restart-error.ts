import { GraceError, messageOf } from '../errors.js';

/** What decides whether a process can be restarted by handing over. */
export interface RestartSituation {
  readonly platform: NodeJS.Platform;
  readonly pid: number;
  readonly descriptors: readonly number[];
  /** Pid of the start_server above this process. */
  readonly superdaemon: number | undefined;
  readonly follow: boolean;
}

/** @throws GraceError `RESTART_UNSUPPORTED` */
export function refuseUnsupported({ platform, pid, descriptors, superdaemon, follow }: RestartSituation): void {
  if (platform === 'win32' || descriptors.some((fd) => fd < 0)) {
    throw unsupported('process.platform', platform, `${platform} cannot hand a listening socket to another process`);
  }
  if (superdaemon !== undefined) {
    throw unsupported('superdaemon', superdaemon, `start_server restarts this process: ${whomToAsk(superdaemon)}`);
  }
  if (pid === 1 && !follow) {
    const ways = 'set the option follow, or run the program under start_server or another init';
    throw unsupported('process.pid', pid, `as PID 1 this process would end its container by a restart: ${ways}`);
  }
}

export function whomToAsk(superdaemon: number): string {
  return `send SIGHUP to process ${superdaemon}`;
}

/** Whatever made a restart fail, as the error that says so. */
export function asRestartError(cause: unknown): GraceError {
  if (cause instanceof GraceError) return cause;
  const reason = messageOf(cause);
  return new GraceError('RESTART_FAILED', `restart failed, this process serves on: ${reason}`, { cause });
}

function unsupported(subject: string, value: unknown, message: string): GraceError {
  return new GraceError('RESTART_UNSUPPORTED', message, { subject, value });
}
