import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { type BindableAddress } from '../address/address.js';
import { findListeners } from './descriptor.js';
import { overlap } from './in-use.js';

const COMMAND_CHARACTERS = 80;

/**
 * The process that listens at an address: `process 12 (node server.js)`.
 *
 * @returns undefined if the kernel does not tell: without `/proc`, or if the process belongs to another user.
 */
export function holderOf(address: BindableAddress): string | undefined {
  const links = linksOf(address);
  const pid = links.length === 0 ? undefined : pids().find((candidate) => has(candidate, links));
  if (pid === undefined) return undefined;
  return pid === process.pid ? 'this process itself' : `process ${pid} (${commandOf(pid)})`;
}

/** The pids of all processes that have a socket there, in ascending order; without those of other users. */
export function holdersOf(address: BindableAddress): number[] {
  const links = linksOf(address);
  return links.length === 0 ? [] : pids().filter((pid) => has(pid, links));
}

/** The listening sockets at an address, as `/proc/pid/fd` shows them. */
function linksOf(address: BindableAddress): string[] {
  return findListeners((other) => isSame(address, other)).map((inode) => `socket:[${inode}]`);
}

function isSame(a: BindableAddress, b: BindableAddress): boolean {
  return a.kind === 'unix' ? b.kind === 'unix' && a.path === b.path : overlap(a, b);
}

function pids(): number[] {
  return list('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
}

function has(pid: number, links: readonly string[]): boolean {
  const folder = `/proc/${pid}/fd`;
  return list(folder).some((fd) => links.includes(attempt(() => readlinkSync(`${folder}/${fd}`)) ?? ''));
}

/** Its command line on one line; its name, if it has hidden that. */
function commandOf(pid: number): string {
  const read = (name: string): string =>
    (attempt(() => readFileSync(`/proc/${pid}/${name}`, 'utf8')) ?? '').replace(/[\0\s]+/g, ' ').trim();
  const text = read('cmdline') || read('comm');
  return text.length > COMMAND_CHARACTERS ? `${text.slice(0, COMMAND_CHARACTERS - 3)}...` : text;
}

function list(folder: string): string[] {
  return attempt(() => readdirSync(folder)) ?? [];
}

/** Undefined if a process has ended meanwhile, or belongs to another user. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
