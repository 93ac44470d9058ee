import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Growth } from './growth-result.js';
import { type Machine, isSameMachine } from './machine.js';
import { type Timeline, type TurnResult } from './turn-result.js';

/** A system and what its turns have shown. */
export interface Measured {
  readonly title: string;
  readonly group: string;
  readonly restarts: string;
  readonly keepAlive: boolean;
  readonly version: string;
  readonly turns: readonly TurnResult[];
  /** Of the last turn. */
  readonly timeline: Timeline;
}

/** The file `bench/results.json`: everything that tables and pictures are made of. */
export interface Results {
  readonly machine: Machine;
  readonly systems: Record<string, Measured>;
  /** Why a system was not measured. */
  readonly missing: Record<string, string>;
  growth?: Growth;
}

/** The results of a file, if they are of this machine: figures of two machines cannot be compared. */
export function readResults(file: string, machine: Machine): Results {
  const empty: Results = { machine, systems: {}, missing: {} };
  if (!existsSync(file)) return empty;
  const found = parseResults(readFileSync(file, 'utf8'));
  return isSameMachine(found.machine, machine) ? { ...found, machine } : empty;
}

export function parseResults(text: string): Results {
  return JSON.parse(text) as Results;
}

export function writeResults(file: string, results: Results): void {
  writeFileSync(file, `${printed(results)}\n`);
}

/** JSON with a line for each object of plain values and for each list of numbers. */
function printed(results: Results): string {
  return JSON.stringify(results, null, 1).replace(/[[{][^[\]{}]*[\]}]/g, (inner) => inner.replace(/\s*\n\s*/g, ' '));
}
