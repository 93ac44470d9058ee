import { type ProcessIdentity } from '../process/watched-process.js';
import { type NamedPipe } from './named-pipe.js';

/** What another start_server needs to go on with a log command. */
export interface LogHandover {
  readonly pipe: NamedPipe;
  /** The command; undefined if it does not run. */
  readonly process: ProcessIdentity | undefined;
}

/** The destination of start_server's messages and of the workers' stdout and stderr. */
export interface LogOutput {
  /** The descriptor that workers get as stdout and stderr; undefined: they inherit those of this process. */
  readonly fd: number | undefined;
  /** What another start_server needs to go on with this log; undefined if that one opens the log itself. */
  readonly handover?: LogHandover | undefined;
  /** Writes one line. */
  say(message: string): void;
  /**
   * Fulfils when it is clear that the log is read.
   *
   * @throws GraceError `FILE_INVALID`
   */
  prove?(): Promise<void>;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/** The stderr of this process. */
export const stderrOutput: LogOutput = {
  fd: undefined,
  say: (message) => void process.stderr.write(`${message}\n`),
  close: () => Promise.resolve(),
};
