import { accessSync, constants, realpathSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { warn } from '../log.js';

/** What package.json says in `engines`. */
export const OLDEST_NODE = [20, 19] as const;

const VERSION_TIMEOUT_MS = 5_000;

/**
 * The path by which the running Node.js was found: as it was given, or in `PATH`.
 * It may be a link that leads to another version later, while `process.execPath`
 * has all links resolved away.
 *
 * @returns undefined if that path does not lead to the running Node.js.
 */
export function findNodePath(argv0: string, path: string | undefined, directory: string, execPath: string): string | undefined {
  const candidates = argv0.includes('/') ? [argv0] : (path ?? '').split(':').map((folder) => `${folder === '' ? '.' : folder}/${argv0}`);
  const found = candidates.map((candidate) => resolve(directory, candidate)).find(isExecutable);
  return found !== undefined && realPath(found) === execPath ? found : undefined;
}

/** The Node.js for a successor: what the path leads to now, if that is a supported version; else the one that runs. */
export async function chooseNode(path: string | undefined, execPath: string): Promise<string> {
  if (path === undefined || realPath(path) === execPath) return path ?? execPath;
  // Any other program might do anything if it is called with --version.
  const version = basename(path).startsWith('node') && isExecutable(path) ? await versionOf(path) : undefined;
  if (version !== undefined && isSupported(version)) return path;
  warn(
    `${path} is ${version === undefined ? 'not Node.js any more' : `Node.js ${version}, which is too old`}: the successor runs with ${execPath}`,
  );
  return execPath;
}

/** @param version - `v22.1.0` */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

/** Undefined if the file does not say a version as Node.js does. */
function versionOf(file: string): Promise<string | undefined> {
  const { execFile } = process.getBuiltinModule('node:child_process');
  return new Promise((done) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    try {
      execFile(file, ['--version'], { env, timeout: VERSION_TIMEOUT_MS, cwd: '/' }, (error, stdout) => {
        done(error === null ? /^v\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined);
      });
    } catch {
      done(undefined);
    }
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync.native(file);
  } catch {
    return undefined;
  }
}
