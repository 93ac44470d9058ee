import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { GraceError, messageOf } from '../../lib/errors.js';
import { fileError } from '../log/file-error.js';

export type WorkerState = 'starting' | 'serving' | 'leaving';

export interface WorkerStatus {
  readonly generation: number;
  readonly pid: number;
  /** 1 to `--workers`. */
  readonly worker: number;
  readonly state: WorkerState;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** How often a worker of this number died and was replaced. */
  readonly restarts: number;
}

/** What start_server tells of itself. */
export interface Status {
  readonly pid: number;
  readonly startedAt: number;
  /** The last generation that was started, whether it came up or not. */
  readonly generation: number;
  /** How many workers failed to start, ever. */
  readonly failedStarts: number;
  /** The wait status of the last of those. */
  readonly lastFailure: number | undefined;
  /** Whether a deploy is under way. */
  readonly deploying: boolean;
  readonly workers: readonly WorkerStatus[];
}

/**
 * The status file, `generation:pid` a line as Server::Starter writes it, and
 * beside it, with `.json` at its name's end, what does not fit in there.
 */
export class StatusFile {
  readonly #path: string;

  /** @throws GraceError `FILE_INVALID` where it cannot be written. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#replace(path, '');
    } catch (cause) {
      throw fileError('create status file', 'status-file', path, cause);
    }
  }

  write(status: Status): void {
    const up = status.workers.filter(({ state }) => state !== 'starting');
    this.#replace(this.#path, up.map(({ generation, pid }) => `${generation}:${pid}\n`).join(''));
    this.#replace(detailsOf(this.#path), `${JSON.stringify(status)}\n`);
  }

  remove(): void {
    rmSync(this.#path, { force: true });
    rmSync(detailsOf(this.#path), { force: true });
  }

  /** By rename(2), so that a reader finds a whole one, the old or the new. */
  #replace(path: string, text: string): void {
    const draft = `${path}.${process.pid}`;
    try {
      writeFileSync(draft, text);
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  }
}

/**
 * The generations that are up, by the status file of this or the Perl start_server.
 *
 * @throws GraceError `FILE_INVALID`
 */
export function readGenerations(path: string): { readonly generation: number; readonly pid: number }[] {
  try {
    return [...readFileSync(path, 'utf8').matchAll(/^(\d+):(\d+)/gm)].map(([, generation, pid]) => {
      return { generation: Number(generation), pid: Number(pid) };
    });
  } catch (cause) {
    const reason = messageOf(cause);
    throw new GraceError('FILE_INVALID', `failed to open file:${path}: ${reason}`, {
      subject: 'status-file',
      value: path,
      cause,
    });
  }
}

/** The rest; undefined where the Perl start_server wrote the file. */
export function readStatus(path: string): Status | undefined {
  try {
    return JSON.parse(readFileSync(detailsOf(path), 'utf8')) as Status;
  } catch {
    return undefined;
  }
}

function detailsOf(path: string): string {
  return `${path}.json`;
}
