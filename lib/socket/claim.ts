import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Address, type BindableAddress, type UnixAddress, formatAddress, parseAddress } from '../address/address.js';
import { type InheritedSocket, type Request, matchSockets } from '../address/match.js';
import { type Place, refuseUnknown } from '../check/names.js';
import { GraceError, show } from '../errors.js';
import { type Inheritance } from '../inherit/inheritance.js';
import { warn } from '../log.js';
import { wholeNumber } from '../check/numbers.js';
import { type BoundSocket, bindError, bindPath, bindTcp, resolveHost } from './bind.js';
import { closeOnExec } from './close-on-exec.js';
import { describeDescriptor } from './descriptor.js';
import { explainInUse, refuseOverlaps, refuseUnpassed } from './in-use.js';
import { GraceListener } from './listener.js';
import { type Source } from './listener-source.js';
import { type DraftSocket, bindSocketFile, removeSocketFile } from './socket-file.js';

/** Options of one listening socket. */
export interface ListenOptions {
  /** The name of the socket: systemd's `FileDescriptorName=`, also used in messages. Default: none. */
  readonly name?: string | undefined;
  /** Permissions of a unix socket's file. Default: as the umask has it. */
  readonly mode?: number | undefined;
  /**
   * Length of the kernel's queue; never less than an inherited socket had. Default
   * 511; the kernel's maximum for a socket that another program bound.
   */
  readonly backlog?: number | undefined;
}

/** One socket that a program asks for. */
export interface Claim extends ListenOptions {
  /** The address, see `parseAddress()` of `ts-grace`. */
  readonly address: string | number;
}

const NAMES = ['address', 'name', 'mode', 'backlog'] satisfies readonly (keyof Claim)[];
const MAX_BACKLOG = 0x7fff_ffff;
const MAX_MODE = 0o7777;

/**
 * Turns claims into listeners: with an inherited socket if one matches, with a
 * new one if not. All or none; they do not listen yet.
 *
 * @param elsewhere - the places where an option that a claim does not have may belong.
 * @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET`, `SOCKET_NOT_PASSED`,
 * `INHERITANCE_INVALID`, `OPTION_INVALID`
 */
export async function claimSockets(
  claims: readonly Claim[],
  inheritance: Inheritance,
  elsewhere: readonly Place[] = [],
): Promise<GraceListener[]> {
  const { passed, unclaimed, predecessor, starter } = inheritance;
  const requests = await Promise.all(claims.map((claim) => readClaim(claim, elsewhere)));
  refuseDuplicates(requests.map(({ address }) => address));
  const matches = matchSockets(requests, [...unclaimed]);
  const left = [...unclaimed].filter((socket) => !matches.includes(socket));
  if (predecessor?.superdaemon === true || starter !== undefined) refuseUnpassed(requests, matches, left);
  refuseOverlaps(requests.filter((_, index) => matches[index] === undefined));
  const sources: Source[] = [];
  try {
    for (const [index, request] of requests.entries()) {
      const socket = matches[index];
      sources.push(socket === undefined ? await openSocket(request, claims[index]?.mode, passed) : { kind: 'inherited', socket });
    }
  } catch (error) {
    sources.forEach(discard);
    const failed = requests[sources.length]!;
    throw explainInUse(error, failed, left);
  }
  for (const socket of matches) if (socket !== undefined) unclaimed.delete(socket);
  const waits = predecessor?.alive === true;
  return requests.map(({ address }, index) => new GraceListener(sources[index]!, address, { ...claims[index], waits }));
}

async function readClaim(claim: Claim, elsewhere: readonly Place[]): Promise<Request> {
  refuseUnknown({ options: claim, where: 'listen()', names: NAMES }, elsewhere);
  wholeNumber('backlog', claim.backlog, 1, MAX_BACKLOG);
  wholeNumber('mode', claim.mode, 0, MAX_MODE);
  const address = parseAddress(claim.address);
  const wanted = address.kind === 'systemd' ? (address.otherwise ?? address) : address;
  const resolved =
    wanted.kind === 'tcp' && wanted.host !== undefined ? { ...wanted, host: await resolveHost(wanted, wanted.host) } : wanted;
  return { address, name: claim.name, resolved };
}

/** Port 0 is another port each time, and several sockets of systemd may have the same name. */
function refuseDuplicates(addresses: readonly Address[]): void {
  const seen = new Set<string>();
  for (const address of addresses) {
    const isPath = address.kind === 'unix' && !address.path.startsWith('\0');
    const text = isPath ? `unix:${resolve(address.path)}` : formatAddress(address);
    const repeatable = address.kind === 'systemd' || (address.kind === 'tcp' && address.port === 0);
    if (seen.has(text) && !repeatable) {
      throw new GraceError('ADDRESS_IN_USE', `cannot listen on ${text} twice: leave one out, or use another port`, {
        subject: 'address',
        value: text,
      });
    }
    seen.add(text);
  }
}

async function openSocket({ address }: Request, mode: number | undefined, passed: readonly InheritedSocket[]): Promise<Source> {
  switch (address.kind) {
    case 'systemd':
      // If systemd passed sockets, the name is wrong; binding another socket would hide that.
      if (address.otherwise === undefined || passed.some(({ origin }) => origin === 'systemd')) {
        throw notPassed(address.name, passed);
      }
      return openBindable(address.otherwise, mode);
    case 'fd':
      return { kind: 'inherited', socket: await passedDescriptor(address.fd) };
    default:
      return openBindable(address, mode);
  }
}

/** @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET` */
export async function openBindable(address: BindableAddress, mode: number | undefined): Promise<Source> {
  if (address.kind === 'tcp') return bound(await bindTcp(address));
  if (address.path.startsWith('\0')) return bound(bindAbstract(address));
  const draft = await bindSocketFile(address, mode);
  return bound(draft.bound, draft);
}

/** In Linux's abstract namespace, where there is no file. */
function bindAbstract(address: UnixAddress): BoundSocket {
  try {
    return bindPath(address.path);
  } catch (error) {
    throw bindError(address, error);
  }
}

function bound(socket: BoundSocket, draft?: DraftSocket): Source {
  return { kind: 'bound', socket, draft };
}

async function passedDescriptor(asked: number): Promise<InheritedSocket> {
  const { kind, address } = describeDescriptor(asked);
  if (kind !== 'listener' && kind !== 'unknown socket') {
    throw new GraceError('INHERITANCE_INVALID', `cannot listen on fd:${asked}: it is ${kind}, expected a listening socket`, {
      subject: 'fd',
      value: asked,
    });
  }
  const [fd = asked] = await closeOnExec([asked]);
  return { fd, origin: 'fd', name: undefined, asked: undefined, bound: address, backlog: undefined, file: undefined };
}

function notPassed(name: string, passed: readonly InheritedSocket[]): GraceError {
  const names = passed.map((socket) => socket.name ?? `(unnamed, fd ${socket.fd})`);
  const had = names.length === 0 ? 'no sockets were passed' : `passed were: ${names.join(', ')}`;
  return new GraceError('SOCKET_NOT_PASSED', `no socket named ${show(name)} was passed to this process; ${had}`, {
    subject: 'address',
    value: `systemd:${name}`,
  });
}

function discard(source: Source): void {
  if (source.kind !== 'bound') return;
  if (source.draft === undefined) source.socket.close();
  else source.draft.discard();
}

/**
 * Closes an inherited socket that this version of the program does not claim.
 *
 * @param stillServed - whether the predecessor still serves on it: then it empties the queue and removes the file.
 */
export function closeUnclaimed({ fd, bound, file, origin, name }: InheritedSocket, stillServed: boolean): void {
  closeSync(fd);
  if (origin === 'systemd') {
    warn(`systemd passed a socket (name ${name ?? 'unknown'}, fd ${fd}) that no server listens on: its clients get no answer`);
  }
  if (stillServed || file === undefined || bound?.kind !== 'unix') return;
  removeSocketFile(bound.path, file);
}
