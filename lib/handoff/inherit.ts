import { describeDescriptor } from '../socket/descriptor.js';
import { type PassedVariables, takeVariables } from './environment.js';
import { GraceError, show } from '../errors.js';
import { logger } from '../log.js';
import { type InheritedSocket, readBound } from '../address/match.js';
import { Parent } from './predecessor.js';
import {
  HANDOFF,
  LISTEN_FDNAMES,
  LISTEN_FDS,
  LISTEN_FDS_START,
  LISTEN_PID,
  SERVER_STARTER_GENERATION,
  SERVER_STARTER_PORT,
  parseHandoff,
  parseListenVariables,
  parseServerStarterPort,
} from './protocol.js';
import { requirePackage } from '../require.js';
import { handoffOfPreload } from './preload.js';

const log = logger('inherit');

/** What this process was started with. */
export interface Inheritance {
  /** The process that hands over to this one. */
  readonly parent: Parent | undefined;
  /** Pid of a Server::Starter that does the restarts and speaks no handoff; of one that does, see `parent`. */
  readonly starter?: number | undefined;
  /** All sockets that were passed. */
  readonly passed: readonly InheritedSocket[];
  /** Those that no listener has claimed yet. */
  readonly sockets: Set<InheritedSocket>;
}

/** Taken when the library is loaded, before the program can start one that would inherit them. */
let variables: PassedVariables = takeAll();
let inheritance: Promise<Inheritance> | undefined;

/**
 * Whether the environment passes listening sockets to this process, as nserv's
 * `CanResume` tells: true in a successor, under systemd's socket activation and
 * under `start_server`.
 *
 * @throws GraceError `INHERITANCE_INVALID`
 */
export function inherited(): boolean {
  refresh();
  if (variables[HANDOFF] !== undefined && Parent.isPipe(parseHandoff(variables[HANDOFF]).pipe)) return true;
  return systemdNames().length > 0 || starterSockets().length > 0;
}

/**
 * Finds what this process was started with, once; a second call finds the same
 * but for the sockets that were claimed meanwhile.
 *
 * @throws GraceError `INHERITANCE_INVALID`
 */
export async function findInheritance(): Promise<Inheritance> {
  refresh();
  inheritance ??= find();
  try {
    return await inheritance;
  } catch (error) {
    inheritance = undefined;
    variables = {};
    throw error;
  }
}

function takeAll(): PassedVariables {
  const handoff = handoffOfPreload();
  return { ...(handoff === undefined ? {} : { [HANDOFF]: handoff }), ...takeVariables(process.env) };
}

/** Variables that were set after the library was loaded count as if they had been there before. */
function refresh(): void {
  const late = takeAll();
  if (Object.keys(late).length === 0) return;
  variables = late;
  inheritance = undefined;
}

async function find(): Promise<Inheritance> {
  const handedOver = await fromHandoff(variables[HANDOFF]);
  if (handedOver !== undefined) return handedOver;
  // Our own start_server passes the same sockets both ways; Server::Starter's variable says for what each is.
  const underStarter = variables[SERVER_STARTER_PORT] !== undefined;
  const passed = underStarter ? fromServerStarter() : fromSystemd();
  const starter = underStarter && process.env[SERVER_STARTER_GENERATION] !== undefined ? process.ppid : undefined;
  return { parent: undefined, starter, passed, sockets: new Set(passed) };
}

async function fromHandoff(text: string | undefined): Promise<Inheritance | undefined> {
  if (text === undefined) return undefined;
  const handoff = parseHandoff(text);
  const parent = await Parent.open(handoff);
  if (parent === undefined) {
    log('%s is not meant for this process: its pipe is not here, or does not answer with the nonce', HANDOFF);
    return undefined;
  }
  const passed = handoff.sockets.map((socket): InheritedSocket => {
    checkListener(socket.fd, HANDOFF, text, false);
    // What a superdaemon was asked for is not what this program asks for: it is matched as systemd's sockets are.
    return parent.superdaemon ? { ...socket, asked: undefined } : socket;
  });
  log('generation %d: %d sockets from process %d', handoff.generation, passed.length, handoff.pid);
  return { parent, passed, sockets: new Set(passed) };
}

function systemdNames(): (string | undefined)[] {
  const listen = { fds: variables[LISTEN_FDS], pid: variables[LISTEN_PID], names: variables[LISTEN_FDNAMES] };
  return parseListenVariables(listen, process.pid);
}

function fromSystemd(): InheritedSocket[] {
  return systemdNames().map((name, index) => {
    const count = variables[LISTEN_FDS] ?? '';
    const bound = checkListener(LISTEN_FDS_START + index, LISTEN_FDS, count, true);
    const fd = askSystemdSocket(index, count);
    log('fd %d from systemd, name %s', fd, name);
    return { fd, origin: 'systemd', name, asked: undefined, bound, backlog: undefined, file: undefined };
  });
}

/** The package `systemd-socket`: the descriptor of the socket with this index, or null where the variable is not set. */
type SystemdSocket = (index: number) => { readonly fd: number } | null;

/** The package reads the variable itself, and checks neither whose it is nor what the descriptors are: it is asked last. */
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
  const value = variables[SERVER_STARTER_PORT];
  return value === undefined ? [] : parseServerStarterPort(value);
}

function fromServerStarter(): InheritedSocket[] {
  // UDP sockets come without their `u`: only the kernel tells them from a listener that this process may serve.
  const streams = starterSockets().filter(({ fd }) => describeDescriptor(fd).kind !== 'datagram socket');
  return streams.map(({ address, fd }) => {
    const seen = checkListener(fd, SERVER_STARTER_PORT, variables[SERVER_STARTER_PORT] ?? '', true);
    log('fd %d from Server::Starter for %s', fd, address);
    const bound = seen ?? readBound(address);
    return { fd, origin: 'server-starter', name: undefined, asked: undefined, bound, backlog: undefined, file: undefined };
  });
}

/**
 * Refuses a descriptor that is no listening socket, with the variable that
 * named it. `closely` also tells datagram and connected sockets, at the price
 * of reading the kernel's socket tables.
 */
function checkListener(fd: number, subject: string, value: string, closely: boolean): InheritedSocket['bound'] {
  const { kind, address } = describeDescriptor(fd, closely);
  if (kind === 'listener' || kind === 'unknown socket') return address;
  const what = kind === 'closed' ? 'not open' : `a ${kind}`.replace('a not a', 'not a');
  const message = `${subject}=${show(value)}: descriptor ${fd} is ${what}, expected a listening stream socket`;
  throw new GraceError('INHERITANCE_INVALID', message, { subject, value });
}
