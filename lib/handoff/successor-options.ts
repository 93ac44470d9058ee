import { type Command } from '../launch/command.js';
import { type HandoffSocket } from './handoff-variable.js';

export interface SuccessorOptions {
  /** By which each of the two processes knows the other one. */
  readonly nonce: string;
  readonly command: Command;
  readonly env: Readonly<Record<string, string>>;
  readonly generation: number;
  /** The sockets to pass; `fd` is the number in this process. */
  readonly sockets: readonly HandoffSocket[];
  /** What goes over beside the sockets; has to be JSON. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Milliseconds until the successor has to be ready. */
  readonly timeout: number;
  /** `pipe` if this process is to follow the later generations; a descriptor if the first process does. */
  readonly follow: 'pipe' | number | undefined;
  /** Descriptor of the compiled program, if there is one. */
  readonly program: number | undefined;
  /** Whether connections may move to the successor. */
  readonly moves: boolean;
  /** Whether the successor is on probation: it sends the sockets back, and reports its stderr and its exit code after it serves too. */
  readonly watches: boolean;
  /** Called with what the successor asks for when it is ready, by key; see Carried.ask(). */
  readonly onAsk: (key: string, value: unknown) => void;
  /**
   * Variables by which the successor can notify systemd. If they are given, the
   * successor is started through an intermediate, so that systemd becomes its parent.
   */
  readonly serviceManager?: Readonly<Record<string, string>> | undefined;
}
