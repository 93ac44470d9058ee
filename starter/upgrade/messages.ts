import { type BindableAddress } from '../../lib/address/address.js';
import { type FileIdentity } from '../../lib/handoff/handoff-variable.js';
import { isCount, isRecord, parseRecord } from '../../lib/handoff/json.js';
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
  /** Milliseconds since it was told to stop; undefined: it was not. */
  readonly drainingFor?: number | undefined;
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

type Fields = Readonly<Record<string, unknown>>;

const hasPid = ({ pid }: Fields): boolean => isCount(pid);

/** What each message must have. */
const SHAPES: Readonly<Record<UpgradeMessage['type'], (message: Fields) => boolean>> = {
  // What another version says is not for this one.
  hello: ({ version, pid, sockets }) => isCount(version) && isCount(pid) && (version !== VERSION || areAll(sockets, isSocket)),
  yours: ({ generation, counted, restarts, workers }) =>
    isCount(generation) && isRecord(counted) && Array.isArray(restarts) && areAll(workers, isWorker),
  started: hasPid,
  ready: hasPid,
  serving: hasPid,
  failed: ({ reason }) => typeof reason === 'string',
};

/** Undefined if it is no message. */
export function parseMessage(line: string): UpgradeMessage | undefined {
  const message = parseRecord(line) ?? {};
  const type = message['type'];
  const known = typeof type === 'string' && Object.hasOwn(SHAPES, type);
  return known && SHAPES[type as UpgradeMessage['type']](message) ? (message as unknown as UpgradeMessage) : undefined;
}

function areAll(values: unknown, isOne: (value: Fields) => boolean): boolean {
  return Array.isArray(values) && values.every((value) => isRecord(value) && isOne(value));
}

function isSocket({ fd, label, bound }: Fields): boolean {
  return isCount(fd) && typeof label === 'string' && isRecord(bound);
}

function isWorker({ pid, startTime, nonce, sent }: Fields): boolean {
  return isCount(pid) && typeof startTime === 'string' && typeof nonce === 'string' && Array.isArray(sent);
}

/** Whether this process is to replace a start_server. */
export function isUpgrade(): boolean {
  return process.env[UPGRADE] !== undefined;
}
