import { type BindableAddress } from '../../lib/address/address.js';
import { type FileIdentity } from '../../lib/handoff/handoff-variable.js';
import { parseRecord } from '../../lib/handoff/json.js';
import { type LogHandover } from '../log/log-output.js';
import { type ProcessIdentity } from '../process/watched-process.js';
import { type Counted } from '../workers/status-report.js';

/** Which descriptor of the new start_server is the pipe to the old one. */
export const UPGRADE = 'START_SERVER_UPGRADE';
/** The old and the new start_server may be of different versions. */
export const VERSION = 1;

/** A socket, with its descriptor in the new process. */
export interface PassedSocket {
  readonly fd: number;
  readonly label: string;
  readonly name: string;
  readonly target?: number | undefined;
  readonly kind: 'stream' | 'datagram';
  readonly bound: BindableAddress;
  readonly file?: FileIdentity | undefined;
}

/** A worker, with the descriptor of its handoff pipe in the new process. */
export interface PassedWorker extends ProcessIdentity {
  readonly generation: number;
  readonly number: number;
  readonly startedAt: number;
  readonly nonce: string;
  readonly sent: readonly NodeJS.Signals[];
  readonly pipe?: number | undefined;
}

/** What the new process gets when it starts. */
export interface Hello {
  readonly type: 'hello';
  readonly version: number;
  /** The old start_server. */
  readonly pid: number;
  readonly sockets: readonly PassedSocket[];
  /** The open pid file, on which the lock is. */
  readonly lock?: number | undefined;
  readonly log?: LogHandover | undefined;
}

/** What the new process gets when it is ready. */
export interface Yours {
  readonly type: 'yours';
  readonly generation: number;
  readonly counted: Counted;
  readonly restarts: readonly number[];
  readonly queued?: string | undefined;
  readonly workers: readonly PassedWorker[];
}

/** The conversation of two start_servers: hello, started, ready, yours, serving; or failed. */
export type UpgradeMessage =
  | Hello
  | Yours
  | { readonly type: 'started' | 'ready' | 'serving'; readonly pid: number }
  | { readonly type: 'failed'; readonly reason: string };

/** Undefined if it is no message. */
export function parseMessage(line: string): UpgradeMessage | undefined {
  const record = parseRecord(line);
  return typeof record?.['type'] === 'string' ? (record as unknown as UpgradeMessage) : undefined;
}

/** Whether this process is to replace a start_server. */
export function isUpgrade(): boolean {
  return process.env[UPGRADE] !== undefined;
}
