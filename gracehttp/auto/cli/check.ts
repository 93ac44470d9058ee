import { type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { formatAddress } from '../../../lib/address/address.js';
import { refuseUnsupported } from '../../../lib/handoff/refuse-restart.js';
import { refuseUnrepeatable } from '../../../lib/launch/command.js';
import { draftPath } from '../../../lib/socket/socket-file.js';
import { readOptions } from '../../../lib/options.js';
import { stays } from '../../../lib/follow/following.js';
import { messageOf, show } from '../../../lib/errors.js';
import { askedAddress, isListed } from '../listen/asked-address.js';
import { type Asked, interceptListen } from '../listen/intercept.js';
import { type AutoSettings, readSettings } from '../options/settings.js';
import { becomeProgram, runProgram } from './program.js';
import { isPassed, supervisors } from './supervisors.js';

/** After its last listen(), a program is given this long to listen again. */
const QUIET_MS = 1_000;
/** A program that never listens is ended after this. */
const LONGEST_MS = 15_000;

/**
 * Prints what `ts-grace` would do here. If a program is given, it is started, and listens on
 * free ports in place of its own; the process ends when its addresses are known. The exit code is 1 if a restart would be refused.
 *
 * @throws GraceError `OPTION_INVALID`, `PROGRAM_INVALID`
 */
export function check([program, ...args]: readonly string[]): void {
  if (program !== undefined) becomeProgram(program, args);
  const settings = readSettings();
  printOptions(settings);
  printSupervisors(settings);
  if (program === undefined) return;
  const asked: Asked[] = [];
  const print = (): never => {
    printAddresses(asked, settings);
    process.exit();
  };
  let timer = setTimeout(print, LONGEST_MS);
  interceptListen((server, listen, what) => {
    asked.push(what);
    listenElsewhere(server, listen, what);
    clearTimeout(timer);
    timer = setTimeout(print, QUIET_MS);
  });
  runProgram();
}

function printOptions({ sources, options, listen, ready }: AutoSettings): void {
  const values: Readonly<Record<string, unknown>> = { ...options, listen, ready };
  const lines = [...sources].map(([name, source]) => `  ${name}: ${show(values[name])} (${source})`);
  say(lines.length === 0 ? 'Options: none is set.' : `Options:\n${lines.join('\n')}`);
}

function printSupervisors({ options }: AutoSettings): void {
  const found = supervisors(process.env);
  say(`Watched by: ${found.length === 0 ? 'nothing that this command knows' : found.join('; ')}.`);
  const settings = readOptions(options);
  const follow = stays(settings, { pid: process.pid, systemd: process.env['NOTIFY_SOCKET'] !== undefined });
  say(`After a restart the first process ${follow ? 'stays, because another program may watch its pid' : 'exits'} (option follow).`);
  try {
    refuseUnsupported({
      platform: process.platform,
      pid: process.pid,
      descriptors: [],
      superdaemon: isPassed() ? process.ppid : undefined,
      follow,
    });
    if (settings.command === undefined) refuseUnrepeatable();
    say(`Restart: possible, by ${settings.signals.restart.join(' or ') || 'no signal'}.`);
  } catch (error) {
    say(`Restart: refused, because ${messageOf(error)}.`);
    process.exitCode = 1;
  }
}

function printAddresses(asked: readonly Asked[], { listen }: AutoSettings): void {
  if (asked.length === 0) say(`The program did not listen within ${LONGEST_MS / 1_000} s.`);
  for (const one of asked) {
    const address = askedAddress(one);
    if (address === undefined)
      say(`Stays alone: ${one.port === 0 ? 'port 0' : String(one.address)}, which is another address in each process.`);
    else if (isListed(address, listen)) say(`Would hand over: ${formatAddress(address)}`);
    else say(`Stays alone: ${formatAddress(address)}, which is not in listen.`);
  }
}

/** The service may be running, so the program must not get its addresses. */
function listenElsewhere(_: Server, listen: (address?: string, port?: number) => void, { address, port, fd }: Asked): void {
  if (typeof fd === 'number') listen();
  else if (port === undefined) listen(draftPath(`${tmpdir()}/ts-grace-check`));
  else listen(address ?? undefined, 0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
