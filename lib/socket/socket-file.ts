import { chmodSync, linkSync, lstatSync, renameSync, statSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { type UnixAddress, formatAddress } from '../address/address.js';
import { lookAt } from '../check/file-type.js';
import { GraceError, errnoCode, messageOf } from '../errors.js';
import { type FileIdentity } from '../handoff/handoff-variable.js';
import { warn } from '../log.js';
import { type BoundSocket, bindError, bindPath } from './bind.js';

/** unix(7): sun_path has 108 bytes on Linux and 104 elsewhere, including the NUL at the end. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;
const DRAFT_DIGITS = 5;
const DRAFT_ATTEMPTS = 20;

/**
 * A unix socket that is bound under a draft name, and moved to its path when it
 * listens. So a stale socket is replaced without a moment in which connecting
 * fails. Also, libuv unlinks the path that it bound when it closes the socket:
 * that is the draft name, and not the path that the successor serves on.
 */
export interface DraftSocket {
  readonly bound: BoundSocket;
  /** Moves the socket to its path. Call it when the socket listens. */
  place(): FileIdentity;
  /** Closes the socket without {@link place}; no file is left. */
  discard(): void;
}

/**
 * Binds a unix socket by path.
 *
 * @param mode - permissions of the socket file; by default as the umask has it.
 * @throws GraceError `ADDRESS_IN_USE` if a process accepts on that path,
 * `NOT_A_SOCKET` if another kind of file is there, `ADDRESS_FORBIDDEN`,
 * `ADDRESS_INVALID` if the path is too long for the kernel.
 */
export async function bindSocketFile(address: UnixAddress, mode?: number): Promise<DraftSocket> {
  const path = resolve(address.path);
  const { bound, draft, stale } = await bindDraft(address, path).catch((error: unknown) => {
    throw bindError(address, error);
  });
  const discard = (): void => {
    bound.close();
    removeQuietly(draft);
  };
  try {
    // Nobody can connect to it yet, as it does not listen.
    if (mode !== undefined) chmodSync(draft, mode);
  } catch (error) {
    discard();
    throw bindError(address, error);
  }
  return {
    bound: { ...bound, address: { kind: 'unix', path } },
    place: () => {
      try {
        if (stale === undefined) linkDraft(draft, path);
        else replaceStale(draft, path, stale);
        return identify(path);
      } catch (error) {
        removeQuietly(draft);
        throw placeError(address, path, error);
      }
    },
    discard,
  };
}

/** link(2) replaces nothing: of two processes that start at the same time, one gets EEXIST. */
function linkDraft(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    // A file system without hard links.
    if (errnoCode(error) === 'EEXIST') throw error;
    refuseTaken(path);
    renameSync(draft, path);
  }
  removeQuietly(draft);
}

/** rename(2) leaves no moment without a file. */
function replaceStale(draft: string, path: string, stale: FileIdentity): void {
  const found = lookAt(path);
  if (found === undefined) return linkDraft(draft, path);
  if (!isSame(identify(path), stale)) refuseTaken(path);
  renameSync(draft, path);
}

function refuseTaken(path: string): void {
  if (lookAt(path) === undefined) return;
  throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' });
}

/** What came to be at the path since it was checked: another socket that listens, or another file. */
function placeError(address: UnixAddress, path: string, error: unknown): GraceError {
  if (errnoCode(error) !== 'EEXIST') return bindError(address, error);
  if (lookAt(path)?.isSocket() === false) return notASocket(address, path);
  return bindError(address, Object.assign(new Error(messageOf(error), { cause: error }), { code: 'EADDRINUSE' }));
}

/**
 * Unlinks the socket file, if it is still the one that was placed. A file that
 * cannot be removed is a warning, and the drain goes on.
 *
 * @returns whether it was removed.
 */
export function removeSocketFile(path: string, file: FileIdentity): boolean {
  try {
    if (!isSame(identify(path), file)) return false;
    unlinkSync(path);
    return true;
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') warn(`cannot remove the socket file ${path}: ${messageOf(error)}`);
    return false;
  }
}

/** `stale`: what is at the path and can be replaced. */
async function bindDraft(
  address: UnixAddress,
  path: string,
): Promise<{ bound: BoundSocket; draft: string; stale: FileIdentity | undefined }> {
  const found = lookAt(path) === undefined ? undefined : identify(path);
  const stale = (await checkPath(address, path)) ? found : undefined;
  for (let attempt = 1; ; attempt += 1) {
    const draft = draftPath(path);
    refuseLong(draft);
    try {
      return { bound: bindPath(draft), draft, stale };
    } catch (error) {
      if (errnoCode(error) !== 'EADDRINUSE' || attempt === DRAFT_ATTEMPTS) throw error;
    }
  }
}

/** A draft name for a socket file, in the same folder. */
export function draftPath(path: string): string {
  const number = Math.floor(Math.random() * 36 ** DRAFT_DIGITS);
  return join(dirname(path), `.${number.toString(36).padStart(DRAFT_DIGITS, '0')}`);
}

/**
 * Checks that a unix socket can be placed at a path.
 *
 * @returns whether a stale socket is there, which can be replaced.
 * @throws GraceError `NOT_A_SOCKET`, or the system's error: EADDRINUSE, EACCES
 */
export async function checkPath(address: UnixAddress, path: string): Promise<boolean> {
  const folder = dirname(path);
  if (!isDirectory(folder)) throw new Error(`the folder ${folder} does not exist`);
  refuseLong(path);
  const found = lookAt(path);
  if (found === undefined) return false;
  if (!found.isSocket()) throw notASocket(address, path);
  const refusal = await connectOnce(path);
  // ECONNREFUSED: the process that bound it died without unlinking it.
  if (refusal === 'ECONNREFUSED' || refusal === 'ENOENT') return refusal === 'ECONNREFUSED';
  const code = refusal === 'EACCES' ? refusal : 'EADDRINUSE';
  throw Object.assign(new Error(`connect to ${path}: ${refusal ?? 'accepted'}`), { code });
}

function notASocket(address: UnixAddress, path: string): GraceError {
  const value = formatAddress(address);
  return new GraceError('NOT_A_SOCKET', `cannot listen on ${value}: ${basename(path)} exists and is not a socket`, {
    subject: 'address',
    value,
  });
}

function refuseLong(path: string): void {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return;
  throw new Error(`the path is longer than the ${MAX_PATH_BYTES} bytes that the kernel allows`);
}

/** Connects and disconnects. Fulfils with the code of the error, undefined if a process accepted. */
function connectOnce(path: string): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = net.connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(undefined);
    });
    socket.once('error', (error) => done(errnoCode(error)));
  });
}

/** Device and inode of the file at a path, which tell it from a file that replaces it. */
export function identify(path: string): FileIdentity {
  const { dev, ino } = lstatSync(path, { bigint: true });
  return { dev: String(dev), ino: String(ino) };
}

/** Whether the file at a path is that one, and not another one or nothing. */
export function isFileOf(path: string, file: FileIdentity): boolean {
  try {
    return isSame(identify(path), file);
  } catch {
    return false;
  }
}

function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // libuv may have removed it already.
  }
}
