import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

/**
 * Runs test files, each in a process of its own. `tap run` could do it too, but loads
 * into each one what it needs for TypeScript, mocks and coverage: a second of processor
 * time for each file, of which there are more than 200.
 */
const FOLDER = 'dist/test';
/** Seconds for each file, unless it sets its own time. */
const TIMEOUT = '120';

const parts = process.argv.slice(2);
const wanted = parts.filter((part) => !part.startsWith('!'));
const unwanted = parts.length === 0 ? ['/slow/'] : parts.filter((part) => part.startsWith('!')).map((part) => part.slice(1));
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .map((path) => join(FOLDER, path))
  .filter((path) => path.endsWith('.test.js') && !path.includes('/fixtures/'))
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)))
  .filter((path) => !unwanted.some((part) => path.includes(part)))
  .toSorted();
if (files.length === 0) t.fail(`no test fits ${parts.join(' ')}`);

t.jobs = Number(process.env['TAP_JOBS']);
for (const file of files) {
  const options = { buffered: true, timeout: Number(TIMEOUT) * 1_000, env: { ...process.env, TAP_TIMEOUT: TIMEOUT } };
  // What tap loads is in NODE_OPTIONS.
  void t.spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, file], options, file);
}
