import { chmodSync, lstatSync, renameSync, statSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { type UnixAddress, formatAddress } from '../address/address.js';
import { GraceError, errnoCode } from '../errors.js';
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
  const { bound, draft } = await bindDraft(address, path).catch((error: unknown) => {
    throw bindError(address, error);
  });
  return {
    bound: { ...bound, address: { kind: 'unix', path } },
    place: () => {
      try {
        if (mode !== undefined) chmodSync(draft, mode);
        renameSync(draft, path);
        return identify(path);
      } catch (error) {
        removeQuietly(draft);
        throw bindError(address, error);
      }
    },
    discard: () => {
      bound.close();
      removeQuietly(draft);
    },
  };
}

/**
 * Unlinks the socket file, if it is still the one that was placed. A file that
 * cannot be removed is a warning, and the drain goes on.
 *
 * @returns whether it was removed.
 */
export function removeSocketFile(path: string, file: FileIdentity): boolean {
  try {
    const { dev, ino } = identify(path);
    if (dev !== file.dev || ino !== file.ino) return false;
    unlinkSync(path);
    return true;
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') warn(`cannot remove the socket file ${path}: ${(error as Error).message}`);
    return false;
  }
}

async function bindDraft(address: UnixAddress, path: string): Promise<{ bound: BoundSocket; draft: string }> {
  await checkPath(address, path);
  const folder = dirname(path);
  for (let attempt = 1; ; attempt += 1) {
    const draft = join(folder, draftName());
    refuseLong(draft);
    try {
      return { bound: bindPath(draft), draft };
    } catch (error) {
      if (errnoCode(error) !== 'EADDRINUSE' || attempt === DRAFT_ATTEMPTS) throw error;
    }
  }
}

function draftName(): string {
  const number = Math.floor(Math.random() * 36 ** DRAFT_DIGITS);
  return `.${number.toString(36).padStart(DRAFT_DIGITS, '0')}`;
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
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const value = formatAddress(address);
  if (!found.isSocket()) {
    throw new GraceError('NOT_A_SOCKET', `cannot listen on ${value}: ${basename(path)} exists and is not a socket`, {
      subject: 'address',
      value,
    });
  }
  const refusal = await connectOnce(path);
  // ECONNREFUSED: the process that bound it died without unlinking it.
  if (refusal === 'ECONNREFUSED' || refusal === 'ENOENT') return refusal === 'ECONNREFUSED';
  const code = refusal === 'EACCES' ? refusal : 'EADDRINUSE';
  throw Object.assign(new Error(`connect to ${path}: ${refusal ?? 'accepted'}`), { code });
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
