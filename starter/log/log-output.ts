/** Where messages go, and what the workers write to their stdout and stderr. */
export interface Sink {
  /** The descriptor for the workers; undefined for those of this process. */
  readonly fd: number | undefined;
  /** Writes one line. */
  say(message: string): void;
  /** Fulfils when everything is written. */
  close(): Promise<void>;
}
