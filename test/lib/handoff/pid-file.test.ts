import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { removePidFile, writePidFile } from '../../../lib/handoff/pid-file.js';
import { fails } from '../../support/errors.js';
import { recordReports } from '../../support/reports.js';
import { scratch } from '../../support/scratch.js';

t.test('the file has the pid of this process, and no draft is left', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.pid');
  writePidFile(path);
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
  t.strictSame(readdirSync(folder), ['app.pid']);
});

t.test('the pid of a predecessor is replaced', async (t) => {
  const path = join(scratch(t), 'app.pid');
  writeFileSync(path, '1\n');
  writePidFile(path);
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
});

t.test('a file that cannot be written', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'folder.pid'));
  writeFileSync(join(folder, 'file'), '');
  for (const name of ['missing/app.pid', 'folder.pid', 'file/app.pid']) {
    const value = join(folder, name);
    const { message, cause } = await fails(t, () => writePidFile(value), { code: 'PID_FILE', subject: 'pidFile', value }, name);
    t.match(message, value);
    t.ok(cause instanceof Error);
  }
  t.strictSame(readdirSync(folder).sort(), ['file', 'folder.pid'], 'no draft is left');
  const nowhere = { code: 'PID_FILE', subject: 'pidFile', value: '/proc/app.pid' } as const;
  await fails(t, () => writePidFile('/proc/app.pid'), nowhere, 'a folder in which no file can be made');
});

t.test('the file is removed only by the process that it names', async (t) => {
  const path = join(scratch(t), 'app.pid');
  writePidFile(path);
  removePidFile(path);
  t.notOk(existsSync(path));
  removePidFile(path);
  for (const text of ['1\n', '', `${process.pid}0\n`]) {
    writeFileSync(path, text);
    removePidFile(path);
    t.equal(readFileSync(path, 'utf8'), text, `${JSON.stringify(text)} is of another process`);
  }
});

t.test('a file that cannot be removed is a warning', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), '');
  const reports = recordReports(t);
  removePidFile(join(folder, 'file', 'app.pid'));
  t.match(reports, [/^warning: cannot remove the pid file .*ENOTDIR/]);
});
