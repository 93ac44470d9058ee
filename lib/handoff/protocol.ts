import { type BindableAddress } from '../address/address.js';
import { GraceError, show } from '../errors.js';

/** Our own: what a process hands to its successor. See docs/protocol.md. */
export const HANDOFF = 'GRACE_HANDOFF';
/** systemd's, see sd_listen_fds(3). */
export const LISTEN_FDS = 'LISTEN_FDS';
export const LISTEN_PID = 'LISTEN_PID';
export const LISTEN_FDNAMES = 'LISTEN_FDNAMES';
/** Server::Starter's, see its documentation. */
export const SERVER_STARTER_PORT = 'SERVER_STARTER_PORT';
export const SERVER_STARTER_GENERATION = 'SERVER_STARTER_GENERATION';
/** systemd's, see sd_notify(3) and sd_watchdog_enabled(3). */
export const NOTIFY_SOCKET = 'NOTIFY_SOCKET';
export const WATCHDOG_USEC = 'WATCHDOG_USEC';
export const WATCHDOG_PID = 'WATCHDOG_PID';

/** sd_listen_fds(3): the first descriptor that systemd passes. */
export const LISTEN_FDS_START = 3;
const HANDOFF_VERSION = 1;

/** Device and inode of a socket file: what tells it from one that replaced it. Decimal, as JSON has no 64-bit integers. */
export interface FileIdentity {
  readonly dev: string;
  readonly ino: string;
}

/** Where a listening socket came from: bound by a process of this program, or passed to it. */
export type Origin = (typeof ORIGINS)[number];
const ORIGINS = ['bound', 'systemd', 'server-starter', 'fd'] as const;

/** One listening socket in `GRACE_HANDOFF`. */
export interface HandoffSocket {
  readonly fd: number;
  readonly name: string | undefined;
  /** The address that the program asked for, see formatAddress(). */
  readonly asked: string;
  /** The address that the socket is bound to, where it is known. */
  readonly bound: BindableAddress | undefined;
  readonly backlog: number;
  /** Where the socket came from before the first hand-over. */
  readonly origin: Origin;
  /** The socket file, where ours to unlink. */
  readonly file: FileIdentity | undefined;
}

/** The variable `GRACE_HANDOFF`. */
export interface Handoff {
  /** The process that hands over. */
  readonly pid: number;
  /** The generation of the process that receives it; the first process is generation 1. */
  readonly generation: number;
  /** Descriptor of the pipe both ways. */
  readonly pipe: number;
  /** Repeated in the parent's first line; without that the variable counts as leaked. */
  readonly nonce: string;
  readonly sockets: readonly HandoffSocket[];
  /** Descriptor of what every generation shares with the first process, where that waits for the last one. */
  readonly follow?: number | undefined;
  /** Whether a superdaemon (start_server) passes them: it stays, keeps them, and does the restarts. */
  readonly superdaemon?: boolean;
}

/** Parent's lines: first the greeting; after the hand-over perhaps the wish for another restart, and news of its drain. */
export type ParentMessage =
  | { readonly type: 'hello'; readonly nonce: string; readonly state: Readonly<Record<string, unknown>> }
  | { readonly type: 'restart' }
  | { readonly type: 'news'; readonly key: string; readonly value: unknown };

/**
 * Child's lines: that it runs; to a superdaemon, that it speaks this protocol; what it says on stderr while it starts,
 * the code it exits with, and that it is ready.
 */
export type ChildMessage =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'starting'; readonly nonce: string }
  | { readonly type: 'stderr'; readonly text: string }
  | { readonly type: 'exit'; readonly code: number }
  | { readonly type: 'ready'; readonly nonce: string; readonly pid: number; readonly kept: readonly number[] };

/** To the first process, where that waits for the last one: who serves, and with which code it ended. */
export type FollowMessage =
  | { readonly type: 'serving'; readonly pid: number }
  | { readonly type: 'exit'; readonly pid: number; readonly code: number };

/** From the first process: a signal that it got, meant for the generation that serves. */
export interface ForwardMessage {
  readonly type: 'signal';
  readonly signal: NodeJS.Signals;
}

export function formatHandoff(handoff: Handoff): string {
  return JSON.stringify({ version: HANDOFF_VERSION, ...handoff });
}

/** @throws GraceError `INHERITANCE_INVALID` where the text is not what {@link formatHandoff} writes. */
export function parseHandoff(text: string): Handoff {
  const data = parseRecord(text);
  if (data === undefined) throw brokenHandoff(text, 'it is no JSON object');
  if (data['version'] !== HANDOFF_VERSION) {
    throw brokenHandoff(text, `its version is ${show(data['version'])}, this library reads ${HANDOFF_VERSION}`);
  }
  const { pid, generation, pipe, nonce, sockets, superdaemon, follow } = data;
  if (!isCount(pid) || !isCount(generation) || !isCount(pipe) || typeof nonce !== 'string' || nonce === '') {
    throw brokenHandoff(text, 'pid, generation, pipe or nonce is missing or of a wrong type');
  }
  if (!Array.isArray(sockets)) throw brokenHandoff(text, 'sockets is no array');
  if (follow !== undefined && !isCount(follow)) throw brokenHandoff(text, 'follow is no descriptor');
  const read = sockets.map((socket: unknown) => readSocket(socket, text));
  const descriptors = [pipe, ...(follow === undefined ? [] : [follow]), ...read.map(({ fd }) => fd)];
  if (new Set(descriptors).size !== descriptors.length) {
    throw brokenHandoff(text, 'a descriptor is named twice');
  }
  return {
    ...{ pid, generation, pipe, nonce, sockets: read },
    ...(superdaemon === true && { superdaemon }),
    ...(follow !== undefined && { follow }),
  };
}

function readSocket(entry: unknown, text: string): HandoffSocket {
  const { fd, name, asked, bound, backlog, origin, file } = isRecord(entry) ? entry : {};
  const valid =
    isCount(fd) &&
    isCount(backlog) &&
    typeof asked === 'string' &&
    (bound === undefined || isBindable(bound)) &&
    isOrigin(origin) &&
    (name === undefined || typeof name === 'string') &&
    (file === undefined || isFileIdentity(file));
  if (!valid) throw brokenHandoff(text, `the socket ${show(JSON.stringify(entry))} is incomplete`);
  return { fd, name, asked, bound, backlog, origin, file };
}

function brokenHandoff(value: string, reason: string): GraceError {
  return new GraceError('INHERITANCE_INVALID', `cannot read ${HANDOFF}=${show(value)}: ${reason}`, {
    subject: HANDOFF,
    value,
  });
}

/** A message as the one line that goes through the pipe. */
export function formatMessage(message: ParentMessage | ChildMessage | FollowMessage | ForwardMessage): string {
  return `${JSON.stringify(message)}\n`;
}

/** Reads a line of the parent's; undefined where it is none, for example one of a later version. */
export function parseParentMessage(line: string): ParentMessage | undefined {
  const data = parseRecord(line);
  if (data?.['type'] === 'restart') return { type: 'restart' };
  if (data?.['type'] === 'news' && typeof data['key'] === 'string') {
    return { type: 'news', key: data['key'], value: data['value'] };
  }
  if (data?.['type'] !== 'hello' || typeof data['nonce'] !== 'string') return undefined;
  return { type: 'hello', nonce: data['nonce'], state: isRecord(data['state']) ? data['state'] : {} };
}

/** Reads a line of the child's; undefined where it is none. */
export function parseChildMessage(line: string): ChildMessage | undefined {
  const data = parseRecord(line);
  const { type, text, code, nonce, pid, kept } = data ?? {};
  if (type === 'starting' && typeof nonce === 'string') return { type, nonce };
  if (type === 'started' && isCount(pid) && pid > 0) return { type, pid };
  if (type === 'stderr' && typeof text === 'string') return { type, text };
  if (type === 'exit' && isCount(code)) return { type, code };
  if (type === 'ready' && typeof nonce === 'string' && isCount(pid) && Array.isArray(kept) && kept.every(isCount)) {
    return { type, nonce, pid, kept };
  }
  return undefined;
}

/** Reads a line that a generation wrote to the first process; undefined where it is none. */
export function parseFollowMessage(line: string): FollowMessage | undefined {
  const { type, pid, code } = parseRecord(line) ?? {};
  if (!isCount(pid)) return undefined;
  if (type === 'serving') return { type, pid };
  return type === 'exit' && isCount(code) ? { type, pid, code } : undefined;
}

/** Reads a line that the first process wrote; undefined where it is none. */
export function parseForwardMessage(line: string): ForwardMessage | undefined {
  const { type, signal } = parseRecord(line) ?? {};
  const valid = type === 'signal' && typeof signal === 'string' && /^SIG[A-Z0-9]+$/.test(signal);
  return valid ? { type, signal: signal as NodeJS.Signals } : undefined;
}

/** `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` as they stand in the environment. */
export interface ListenVariables {
  readonly fds: string | undefined;
  readonly pid: string | undefined;
  readonly names: string | undefined;
}

/**
 * Reads what systemd passed, by sd_listen_fds(3): the count in `LISTEN_FDS`
 * holds only for the process whose pid is `LISTEN_PID`. Returns one name a
 * socket, undefined where systemd gave none.
 *
 * @throws GraceError `INHERITANCE_INVALID`, also for a count that is none where
 * `LISTEN_PID` is missing: somebody meant to pass sockets.
 */
export function parseListenVariables({ fds, pid, names }: ListenVariables, self: number): (string | undefined)[] {
  if (fds === undefined) return [];
  if (pid !== undefined && readCount(LISTEN_PID, pid) !== self) return [];
  const count = readCount(LISTEN_FDS, fds);
  if (pid === undefined || count === 0) return [];
  if (names === undefined) return Array.from({ length: Math.min(count, MAX_PASSED) }, () => undefined);
  const list = names.split(':');
  if (list.length !== count) {
    throw new GraceError(
      'INHERITANCE_INVALID',
      `${LISTEN_FDNAMES}=${show(names)} has ${list.length} names, ${LISTEN_FDS} says ${count} sockets`,
      { subject: LISTEN_FDNAMES, value: names },
    );
  }
  return list.map((name) => (name === 'unknown' || name === '' ? undefined : name));
}

/** The kernel's highest possible limit of descriptors a process (`nr_open`'s default); a check of each follows. */
const MAX_PASSED = 1_048_576;

function readCount(subject: string, value: string): number {
  if (/^\d{1,10}$/.test(value)) return Number(value);
  throw new GraceError('INHERITANCE_INVALID', `${subject}=${show(value)} is no whole number`, { subject, value });
}

/**
 * Reads `SERVER_STARTER_PORT`: `host:port=fd;path=fd`. The addresses come back
 * as parseAddress() reads them.
 *
 * @throws GraceError `INHERITANCE_INVALID`
 */
export function parseServerStarterPort(value: string): { readonly address: string; readonly fd: number }[] {
  return value
    .split(';')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, target, fd] = /^(.+)=(\d{1,9})$/.exec(entry) ?? [];
      if (target === undefined || fd === undefined) {
        throw new GraceError(
          'INHERITANCE_INVALID',
          `${SERVER_STARTER_PORT}=${show(value)}: ${show(entry)} is not host:port=fd or path=fd`,
          { subject: SERVER_STARTER_PORT, value },
        );
      }
      return { address: /^(.*:)?\d+$/.test(target) ? target : `unix:${target}`, fd: Number(fd) };
    });
}

function parseRecord(text: string): Record<string, unknown> | undefined {
  try {
    const data: unknown = JSON.parse(text);
    return isRecord(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isBindable(value: unknown): value is BindableAddress {
  if (!isRecord(value)) return false;
  const { kind, host, port, path } = value;
  return kind === 'unix' ? typeof path === 'string' : kind === 'tcp' && typeof host === 'string' && isCount(port);
}

function isOrigin(value: unknown): value is Origin {
  return ORIGINS.some((origin) => origin === value);
}

function isFileIdentity(value: unknown): value is FileIdentity {
  return isRecord(value) && typeof value['dev'] === 'string' && typeof value['ino'] === 'string';
}
