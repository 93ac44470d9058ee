/** A mistake that somebody might make, chosen by hand. */
export interface ChosenMutant {
  /** What goes wrong for users. */
  readonly what: string;
  readonly file: string;
  /** Text that is in the file once. */
  readonly before: string;
  readonly after: string;
  /** Tests that notice it, the likeliest first: paths below `test/`, without `.test.ts`. */
  readonly tests: readonly string[];
}
