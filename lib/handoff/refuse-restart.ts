import { GraceError } from '../errors.js';

/** What decides whether a process can restart by handing over. */
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
    throw unsupported('process.platform', platform, `${platform} cannot pass a listening socket to another process`);
  }
  if (superdaemon !== undefined) {
    throw unsupported('superdaemon', superdaemon, `start_server restarts this process: ${whomToAsk(superdaemon)}`);
  }
  if (pid === 1 && !follow) {
    const ways = 'set the option follow, or run the program under start_server or another init';
    throw unsupported('process.pid', pid, `this process is PID 1, so a restart would end its container: ${ways}`);
  }
}

/** How to restart a process that start_server runs. */
export function whomToAsk(superdaemon: number): string {
  return `send SIGHUP to process ${superdaemon}`;
}

function unsupported(subject: string, value: unknown, message: string): GraceError {
  return new GraceError('RESTART_UNSUPPORTED', message, { subject, value });
}
