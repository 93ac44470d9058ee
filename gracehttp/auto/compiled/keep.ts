import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { processState } from '../../../lib/inherit/process-state.js';
import { logger } from '../../../lib/log.js';

const log = logger('auto');

/** The first clients come first; what has run until then is compiled. */
const AFTER_MS = 100;
/** In memory. Some containers can write to nothing else. */
const FIRST_FOLDER = '/dev/shm';
const PRIVATE = 0o600;

/** Keeps this library for the successor, as V8 has compiled it: see load.ts. V8 takes 3 to 4 ms for that. */
export function keepProgramSoon(generation: number): void {
  setTimeout(() => keepProgram(generation), AFTER_MS).unref();
}

function keepProgram(generation: number): void {
  const { program } = processState;
  // Windows has no restarts.
  if (process.platform === 'win32' || program?.make === undefined || program.file !== undefined) return;
  // Made by the first process, it lacks what only a successor runs.
  const content = generation > 2 && program.used !== undefined ? program.used : program.make();
  delete program.used;
  delete program.make;
  for (const folder of [FIRST_FOLDER, process.getBuiltinModule('node:os').tmpdir()]) {
    try {
      program.file = writeNameless(folder, content);
      return;
    } catch (error) {
      log('the compiled program is not kept in %s, so restarts take some milliseconds longer: %s', folder, error);
    }
  }
}

/** A file without a name, which ends with the last process that has it open. Nobody else can write it. */
function writeNameless(folder: string, content: Uint8Array): number {
  const path = join(folder, `ts-grace-${crypto.randomUUID()}`);
  const fd = openSync(path, 'wx+', PRIVATE);
  try {
    unlinkSync(path);
    for (let written = 0; written < content.length; ) written += writeSync(fd, content, written, content.length - written, written);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
