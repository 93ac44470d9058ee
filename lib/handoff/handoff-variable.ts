import { type BindableAddress } from '../address/address.js';
import { GraceError, show } from '../errors.js';
import { HANDOFF } from '../launch/preload-contract.js';
import { isCount, isRecord, parseRecord } from './json.js';

export { HANDOFF };
const HANDOFF_VERSION = 1;
/** execve(2) takes at most 128 KiB for one variable, see MAX_ARG_STRLEN. */
const MAX_VARIABLE_BYTES = 64 * 1024;
/** Key of the socket list in the greeting's state, if it is too long for the variable. */
const SOCKETS = 'ts-grace.sockets';
/** In the variable in place of the list. */
const IN_GREETING = 'greeting';

/**
 * Device and inode of a socket file, which tell it from a file that replaced it.
 * In decimal, because JSON has no 64-bit integers.
 */
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
  /** The address that the socket is bound to, if it is known. */
  readonly bound: BindableAddress | undefined;
  readonly backlog: number;
  /** Where the socket came from before the first hand-over. */
  readonly origin: Origin;
  /** The socket file, if this program has to unlink it. */
  readonly file: FileIdentity | undefined;
}

/** The variable `GRACE_HANDOFF`. */
export interface Handoff {
  /** The process that hands over. */
  readonly pid: number;
  /** The generation of the process that receives it; the first process is generation 1. */
  readonly generation: number;
  /** Descriptor of the handoff pipe, which goes both ways. */
  readonly pipe: number;
  /** Repeated in the predecessor's first line; if it is not, the variable has leaked and does not count. */
  readonly nonce: string;
  /** Undefined if the list is in the greeting, see {@link splitHandoff}. */
  readonly sockets: readonly HandoffSocket[] | undefined;
  /** With the option `follow`: descriptor of the socket that all generations share with the first process. */
  readonly follow?: number | undefined;
  /** Milliseconds after which a successor that is not ready ends itself, if its predecessor is gone. */
  readonly timeout?: number | undefined;
  /** Descriptor of the IPC channel by which connections come. In a successor the preload opens it. */
  readonly channel?: number | undefined;
  /** Descriptor of a file with the compiled program, see CompiledProgram. The preload takes it. */
  readonly program?: number | undefined;
  /** Whether the sender is start_server, which stays, keeps the sockets and does the restarts. */
  readonly superdaemon?: boolean;
}

export function formatHandoff(handoff: Handoff): string {
  return JSON.stringify({ version: HANDOFF_VERSION, ...handoff, sockets: handoff.sockets ?? IN_GREETING });
}

/** The variable, and the part of the greeting's state that has the list of sockets if it is too long for a variable. */
export function splitHandoff(handoff: Handoff): { readonly variable: string; readonly state: Readonly<Record<string, unknown>> } {
  const variable = formatHandoff(handoff);
  if (Buffer.byteLength(variable) <= MAX_VARIABLE_BYTES) return { variable, state: {} };
  return { variable: formatHandoff({ ...handoff, sockets: undefined }), state: { [SOCKETS]: handoff.sockets } };
}

/**
 * The sockets of a handoff, also if their list came in the greeting.
 *
 * @throws GraceError `INHERITANCE_INVALID` if there is no list.
 */
export function socketsOf(handoff: Handoff, state: Readonly<Record<string, unknown>>): readonly HandoffSocket[] {
  return handoff.sockets ?? readSockets(state[SOCKETS], formatHandoff(handoff));
}

/** Whether a library of another version wrote it. */
export function isOtherVersion(text: string): boolean {
  const version = parseRecord(text)?.['version'];
  return isCount(version) && version !== HANDOFF_VERSION;
}

/** @throws GraceError `INHERITANCE_INVALID` if the text is not what {@link formatHandoff} writes. */
export function parseHandoff(text: string): Handoff {
  const data = parseRecord(text);
  if (data === undefined) throw brokenHandoff(text, 'it is not a JSON object');
  if (data['version'] !== HANDOFF_VERSION) {
    throw brokenHandoff(text, `its version is ${show(data['version'])}, this library reads ${HANDOFF_VERSION}`);
  }
  const { pid, generation, pipe, nonce, sockets, superdaemon, follow, timeout, channel } = data;
  if (!isCount(pid) || !isCount(generation) || !isCount(pipe) || typeof nonce !== 'string' || nonce === '') {
    throw brokenHandoff(text, 'pid, generation, pipe or nonce is missing or has the wrong type');
  }
  if (follow !== undefined && !isCount(follow)) throw brokenHandoff(text, 'follow is not a descriptor');
  if (timeout !== undefined && !isCount(timeout)) throw brokenHandoff(text, 'timeout is not a number of milliseconds');
  const read = sockets === IN_GREETING ? undefined : readSockets(sockets, text);
  const descriptors = [pipe, ...(follow === undefined ? [] : [follow]), ...(read ?? []).map(({ fd }) => fd)];
  if (new Set(descriptors).size !== descriptors.length) {
    throw brokenHandoff(text, 'one descriptor is named twice');
  }
  return {
    ...{ pid, generation, pipe, nonce, sockets: read },
    ...(superdaemon === true && { superdaemon }),
    ...(follow !== undefined && { follow }),
    ...(timeout !== undefined && { timeout }),
    ...(isCount(channel) && { channel }),
  };
}

function readSockets(sockets: unknown, text: string): HandoffSocket[] {
  if (!Array.isArray(sockets)) throw brokenHandoff(text, 'sockets is not an array');
  return sockets.map((socket: unknown) => readSocket(socket, text));
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
