import { exitBy } from '../../../lib/signals/exit.js';

/** What decides about `process.exit()`. */
export interface ExitHold {
  /** Whether the program's call only asks for it now. */
  holds(): boolean;
  /** The program asks to exit, with this code. */
  onAsked(code: number): void;
  /** The code to exit with in place of this library's own. */
  codeFor(code: number): number;
}

/** Makes `process.exit()` wait while this process drains: the call returns, and the process exits when it has drained. */
export function holdExit(hold: ExitHold): void {
  const native = process.exit.bind(process);
  const exit = (code?: number | string | null): void => {
    if (!hold.holds()) return native(code);
    hold.onAsked(Number(code ?? process.exitCode ?? 0) || 0);
  };
  process.exit = exit as typeof process.exit;
  exitBy((code) => native(hold.codeFor(code)));
}
