import { chmodSync, lstatSync, renameSync, statSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { type UnixAddress, formatAddress } from '../address/address.js';
import { type BoundSocket, bindError, bindPath } from './bind.js';
import { GraceError, errnoCode } from '../errors.js';
import { warn } from '../log.js';
import { type FileIdentity } from '../handoff/protocol.js';

/** unix(7): sun_path holds 108 bytes on Linux, 104 elsewhere, the closing NUL among them. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;
const DRAFT_DIGITS = 5;
const DRAFT_ATTEMPTS = 20;

/**
 * A unix socket that was bound under a draft name, to be moved to its path once
 * it listens. So a stale socket is replaced without a moment in which the path
 * refuses, and libuv, which unlinks the path that it bound when it closes,
 * leaves the successor's alone.
 */
export interface DraftSocket {
  readonly bound: BoundSocket;
  /** Moves the socket to its path; call it when the socket listens. */
  place(): FileIdentity;
  /** Gives up before {@link place}: no file is left. */
  discard(): void;
}

/**
 * Binds a unix socket by path.
 *
 * @param mode - permissions of the socket file; by default what the umask leaves.
 * @throws GraceError `ADDRESS_IN_USE` where a process accepts on that path,
 * `NOT_A_SOCKET` where the path is some other file, `ADDRESS_FORBIDDEN`,
 * `ADDRESS_INVALID` where the path is too long for the kernel.
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
 * Unlinks the socket file where it is still the one that was placed, and not a
 * later one's. A file that cannot be removed is a warning: the drain goes on.
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
 * Sees to it that a unix socket can be bound at a path, where it is not in the way itself.
 *
 * @returns whether a stale socket is there.
 */
export async function checkPath(address: UnixAddress, path: string): Promise<boolean> {
  const folder = dirname(path);
  if (!isDirectory(folder)) throw new Error(`the folder ${folder} does not exist`);
  refuseLong(path);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const value = formatAddress(address);
  if (!found.isSocket()) {
    throw new GraceError('NOT_A_SOCKET', `cannot listen on ${value}: ${basename(path)} exists and is no socket`, {
      subject: 'address',
      value,
    });
  }
  const refusal = await connectOnce(path);
  // ECONNREFUSED: nobody has it open; the process that bound it died without unlinking it.
  if (refusal === 'ECONNREFUSED' || refusal === 'ENOENT') return refusal === 'ECONNREFUSED';
  const code = refusal === 'EACCES' ? refusal : 'EADDRINUSE';
  throw Object.assign(new Error(`connect to ${path}: ${refusal ?? 'accepted'}`), { code });
}

function refuseLong(path: string): void {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return;
  throw new Error(`the path is longer than the ${MAX_PATH_BYTES} bytes that the kernel takes`);
}

/** Connects and leaves; answers with the error's code, undefined where somebody accepted. */
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

/** What tells the file at a path from one that replaces it. */
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
    // libuv may have been faster
  }
}
