import { closeSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatAddress } from '../address/address.js';
import { type InheritedSocket, readBound } from '../address/match.js';
import { isOpenSocket } from '../check/file-type.js';
import { GraceError, show } from '../errors.js';
import { HANDOFF, type Handoff, type HandoffSocket, isOtherVersion, parseHandoff, socketsOf } from '../handoff/handoff-variable.js';
import { Predecessor } from '../handoff/predecessor.js';
import { type Preload } from '../launch/preload-contract.js';
import { logger } from '../log.js';
import { openWorkerChannel } from '../move/worker-channel.js';
import { isRunning } from '../process-table.js';
import { requirePackage } from '../require.js';
import { closeOnExec } from '../socket/close-on-exec.js';
import { describeDescriptor } from '../socket/descriptor.js';
import { LISTEN_FDNAMES, LISTEN_FDS, LISTEN_FDS_START, LISTEN_PID, parseListenVariables } from '../systemd/listen-variables.js';
import { takeVariables } from './environment.js';
import { type Inheritance } from './inheritance.js';
import { processState } from './process-state.js';
import { SERVER_STARTER_GENERATION, SERVER_STARTER_PORT, parseServerStarterPort } from './server-starter.js';

const log = logger('inherit');

// When the library is loaded: before the program can start another one, which would inherit the variables.
takeVariables(process.env);

/**
 * Whether the environment passes listening sockets to this process: true in a
 * successor, under systemd's socket activation and under `start_server`. It is
 * nserv's `CanResume`.
 *
 * @throws GraceError `INHERITANCE_INVALID`
 *
 * @example
 * import { inherited } from 'ts-grace';
 *
 * console.log(inherited()); // false
 */
export function inherited(): boolean {
  const handoff = readableHandoff();
  if (handoff !== undefined && isOpenSocket(parseHandoff(handoff).pipe)) return true;
  return systemdNames().length > 0 || starterSockets().length > 0;
}

/**
 * Finds what this process was started with. Later calls return the same object,
 * from which listeners take their sockets.
 *
 * @throws GraceError `INHERITANCE_INVALID`
 */
export async function findInheritance(): Promise<Inheritance> {
  processState.inheritance ??= find();
  try {
    return await processState.inheritance;
  } catch (error) {
    processState.inheritance = undefined;
    processState.refused = true;
    throw error;
  }
}

function variable(name: string): string | undefined {
  return processState.refused ? undefined : processState.variables[name];
}

async function find(): Promise<Inheritance> {
  const handedOver = await fromHandoff(readableHandoff());
  if (handedOver !== undefined) return handedOver;
  // Our own start_server passes the same sockets both ways; SERVER_STARTER_PORT also says which address each is for.
  const underStarter = variable(SERVER_STARTER_PORT) !== undefined;
  const passed = await keepToOurselves(underStarter ? fromServerStarter() : fromSystemd());
  const starter = underStarter && process.env[SERVER_STARTER_GENERATION] !== undefined ? process.ppid : undefined;
  return { predecessor: undefined, starter, passed, unclaimed: new Set(passed) };
}

/** start_server lives for months. One that writes another version passes its sockets in SERVER_STARTER_PORT too. */
function readableHandoff(): string | undefined {
  const text = variable(HANDOFF);
  if (text === undefined || variable(SERVER_STARTER_PORT) === undefined || !isOtherVersion(text)) return text;
  log('%s has another version: using %s', HANDOFF, SERVER_STARTER_PORT);
  return undefined;
}

async function fromHandoff(text: string | undefined): Promise<Inheritance | undefined> {
  if (text === undefined) return undefined;
  const handoff = await keepPipes(parseHandoff(text));
  const { preload } = processState;
  // It holds the greeting, in which there may be TLS keys.
  processState.preload = undefined;
  closeUnreadProgram();
  const predecessor = (await Predecessor.open(handoff, preload)) ?? orphaned(handoff, preload);
  if (predecessor === undefined) {
    log('%s is not meant for this process: its pipe is not open here, or does not answer with the nonce', HANDOFF);
    return undefined;
  }
  const sockets = socketsOf(handoff, predecessor.state).map((socket): InheritedSocket => {
    checkListener(socket.fd, HANDOFF, text, false);
    // The addresses that start_server was given are not those of this program: match them as systemd's sockets are.
    return predecessor.superdaemon ? { ...socket, asked: undefined } : socket;
  });
  const passed = predecessor.superdaemon ? await keepToOurselves(sockets) : sockets;
  log('generation %d: %d sockets from process %d', handoff.generation, passed.length, handoff.pid);
  const workerChannel = predecessor.superdaemon ? openWorkerChannel(handoff.channel) : undefined;
  return { predecessor, workerChannel, passed, unclaimed: new Set(passed) };
}

/** Only `ts-grace/auto` reads it, before the program runs. This program may be a version without it. */
function closeUnreadProgram(): void {
  const { program } = processState;
  if (program?.received === undefined) return;
  closeSync(program.received);
  processState.program = undefined;
}

/**
 * A predecessor that was killed before it wrote its greeting. Nobody else serves
 * then, so this process carries on, if its descriptors prove that they are meant for it:
 * each is a listening socket with the address that the variable gives it.
 */
function orphaned(handoff: Handoff, preload: Preload | undefined): Predecessor | undefined {
  const { pid, sockets = [] } = handoff;
  if (isRunning(pid) || sockets.length === 0 || !sockets.every(isListenerAtItsAddress)) return undefined;
  log('process %d is gone, and has left no greeting', pid);
  return Predecessor.orphaned(handoff, preload);
}

function isListenerAtItsAddress({ fd, bound }: HandoffSocket): boolean {
  const { kind, address } = describeDescriptor(fd);
  if (kind !== 'listener' || address === undefined || bound === undefined) return false;
  if (address.kind === 'tcp' || bound.kind === 'tcp') return formatAddress(address) === formatAddress(bound);
  // The kernel knows the draft name, under which the socket was bound; see DraftSocket.
  return address.path === bound.path || dirname(address.path) === dirname(bound.path);
}

/** A program that this process starts must not get the sockets. */
async function keepToOurselves(sockets: readonly InheritedSocket[]): Promise<readonly InheritedSocket[]> {
  const fds = await closeOnExec(sockets.map(({ fd }) => fd));
  return sockets.map((socket, index) => ({ ...socket, fd: fds[index] ?? socket.fd }));
}

/** Child processes must not get the pipe and the channel either. Only start_server leaves gaps in the descriptor numbers that it passes. */
async function keepPipes(handoff: Handoff): Promise<Handoff> {
  if (handoff.superdaemon !== true || !isOpenSocket(handoff.pipe)) return handoff;
  const { channel } = handoff;
  const hasChannel = channel !== undefined && isOpenSocket(channel);
  const [pipe = handoff.pipe, opened] = await closeOnExec([handoff.pipe, ...(hasChannel ? [channel] : [])]);
  return { ...handoff, pipe, channel: opened };
}

function systemdNames(): (string | undefined)[] {
  const listen = { fds: variable(LISTEN_FDS), pid: variable(LISTEN_PID), names: variable(LISTEN_FDNAMES) };
  return parseListenVariables(listen, process.pid);
}

function fromSystemd(): InheritedSocket[] {
  return systemdNames().map((name, index) => {
    const count = variable(LISTEN_FDS) ?? '';
    const bound = checkListener(LISTEN_FDS_START + index, LISTEN_FDS, count, true);
    const fd = askSystemdSocket(index, count);
    log('fd %d from systemd, name %s', fd, name);
    return { fd, origin: 'systemd', name, asked: undefined, bound, backlog: undefined, file: undefined };
  });
}

/** The package `systemd-socket`: the descriptor of the socket with this index, or null if the variable is not set. */
type SystemdSocket = (index: number) => { readonly fd: number } | null;

/** The package reads the variable itself and checks neither `LISTEN_PID` nor the descriptors, so it is asked last. */
function askSystemdSocket(index: number, count: string): number {
  const systemdSocket = requirePackage<SystemdSocket>('systemd-socket');
  process.env[LISTEN_FDS] = count;
  try {
    return systemdSocket(index)?.fd ?? LISTEN_FDS_START + index;
  } finally {
    delete process.env[LISTEN_FDS];
  }
}

function starterSockets(): { readonly address: string; readonly fd: number }[] {
  const value = variable(SERVER_STARTER_PORT);
  return value === undefined ? [] : parseServerStarterPort(value);
}

function fromServerStarter(): InheritedSocket[] {
  // The variable does not mark UDP sockets; only the kernel can tell them from listening sockets.
  const streams = starterSockets().filter(({ fd }) => describeDescriptor(fd).kind !== 'datagram socket');
  return streams.map(({ address, fd }) => {
    const seen = checkListener(fd, SERVER_STARTER_PORT, variable(SERVER_STARTER_PORT) ?? '', true);
    log('fd %d from Server::Starter for %s', fd, address);
    const bound = seen ?? readBound(address);
    return { fd, origin: 'server-starter', name: undefined, asked: undefined, bound, backlog: undefined, file: undefined };
  });
}

/**
 * Refuses a descriptor that is not a listening socket, with the variable that
 * named it.
 *
 * @param closely - also find datagram and connected sockets, which means reading the kernel's socket tables.
 */
function checkListener(fd: number, subject: string, value: string, closely: boolean): InheritedSocket['bound'] {
  const { kind, address } = describeDescriptor(fd, closely);
  if (kind === 'listener' || kind === 'unknown socket') return address;
  const what = kind === 'closed' ? 'not open' : `a ${kind}`.replace('a not a', 'not a');
  const message = `${subject}=${show(value)}: descriptor ${fd} is ${what}, expected a listening stream socket`;
  throw new GraceError('INHERITANCE_INVALID', message, { subject, value });
}
