/** The destination of start_server's messages and of the workers' stdout and stderr. */
export interface LogOutput {
  /** The descriptor that workers get as stdout and stderr; undefined: they inherit those of this process. */
  readonly fd: number | undefined;
  /** Writes one line. */
  say(message: string): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/** The stderr of this process. */
export const stderrOutput: LogOutput = {
  fd: undefined,
  say: (message) => void process.stderr.write(`${message}\n`),
  close: () => Promise.resolve(),
};
