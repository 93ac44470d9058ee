import fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { GraceError, errnoCode, messageOf } from '../errors.js';
import { warn } from '../log.js';

const DRAFT_DIGITS = 8;
/** Readable for everybody, as far as the umask allows it. */
const MODE = 0o644;

/** The file with the pid of the process that serves. */
export class PidFile {
  readonly #given: string;
  readonly #path: string;
  /** The path with the symbolic links of its folder resolved, once: they may lead to another folder later. */
  #resolved: string | undefined;

  /** A relative path starts at the working directory of this moment. */
  constructor(path: string) {
    this.#given = path;
    this.#path = resolve(path);
  }

  /**
   * Checks that the file can be written, and does not touch it: it still names the
   * predecessor, which serves.
   *
   * @throws GraceError `PID_FILE`
   */
  check(): void {
    this.#attempt(() => {
      const path = this.#resolve();
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('it is a folder');
      const draft = writeDraft(path);
      fs.unlinkSync(draft);
    });
  }

  /**
   * Writes this process's pid. It writes a draft and renames it, so that a reader
   * always finds a complete pid, the old or the new one.
   *
   * @throws GraceError `PID_FILE`
   */
  write(): void {
    this.#attempt(() => {
      const path = this.#resolve();
      const draft = writeDraft(path);
      try {
        fs.renameSync(draft, path);
      } catch (error) {
        fs.unlinkSync(draft);
        throw error;
      }
    });
  }

  /** Writes the pid again if the file is gone or names another process. A failure is a warning, as this process goes on serving. */
  restore(): void {
    try {
      if (this.#read() !== String(process.pid)) this.write();
    } catch (error) {
      warn(messageOf(error));
    }
  }

  /** Removes the file if it still names this process. A failure is a warning, as the process exits anyway. */
  remove(): void {
    try {
      if (this.#read() === String(process.pid)) fs.unlinkSync(this.#resolve());
    } catch (error) {
      warn(`cannot remove the pid file ${this.#given}: ${messageOf(error)}`);
    }
  }

  /** What the file says; undefined if it does not exist. */
  #read(): string | undefined {
    try {
      return fs.readFileSync(this.#resolve(), 'utf8').trim();
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #resolve(): string {
    this.#resolved ??= join(fs.realpathSync(dirname(this.#path)), basename(this.#path));
    return this.#resolved;
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (cause) {
      const message = `cannot write the pid file ${this.#given}: ${messageOf(cause)}`;
      throw new GraceError('PID_FILE', message, { subject: 'pidFile', value: this.#given, cause });
    }
  }
}

/** A new file with this pid; `wx` follows no link that somebody left under its name. Returns its path. */
function writeDraft(path: string): string {
  const number = Math.floor(Math.random() * 36 ** DRAFT_DIGITS);
  const draft = `${path}.${number.toString(36).padStart(DRAFT_DIGITS, '0')}`;
  const fd = fs.openSync(draft, 'wx', MODE);
  try {
    fs.writeSync(fd, `${process.pid}\n`);
  } catch (error) {
    fs.unlinkSync(draft);
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  return draft;
}
