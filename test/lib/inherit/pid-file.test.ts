import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PidFile } from '../../../lib/inherit/pid-file.js';
import { fails } from '../../support/errors.js';
import { recordReports } from '../../support/reports.js';
import { scratch } from '../../support/scratch.js';

const MINE = `${process.pid}\n`;

t.test('the file has the pid of this process, and no draft is left', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.pid');
  new PidFile(path).write();
  t.equal(readFileSync(path, 'utf8'), MINE);
  t.strictSame(readdirSync(folder), ['app.pid']);
});

t.test('the pid of a predecessor is replaced, and a check does not touch it', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.pid');
  writeFileSync(path, '1\n');
  const file = new PidFile(path);
  file.check();
  t.equal(readFileSync(path, 'utf8'), '1\n');
  t.strictSame(readdirSync(folder), ['app.pid']);
  file.write();
  t.equal(readFileSync(path, 'utf8'), MINE);
});

t.test('a file that cannot be written', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'folder.pid'));
  writeFileSync(join(folder, 'file'), '');
  const paths = [...['missing/app.pid', 'folder.pid', 'file/app.pid'].map((name) => join(folder, name)), '/proc/app.pid'];
  for (const value of paths) {
    for (const attempt of ['check', 'write'] as const) {
      const expected = { code: 'PID_FILE', subject: 'pidFile', value } as const;
      const { message, cause } = await fails(t, () => new PidFile(value)[attempt](), expected, `${attempt} ${value}`);
      t.match(message, value);
      t.ok(cause instanceof Error);
    }
  }
  t.strictSame(readdirSync(folder).sort(), ['file', 'folder.pid'], 'no draft is left');
});

t.test('a link that was planted is not followed', async (t) => {
  const folder = scratch(t);
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  const path = join(folder, 'app.pid');
  // The name of the draft in earlier versions.
  symlinkSync(victim, `${path}.${process.pid}`);
  new PidFile(path).write();
  t.equal(readFileSync(victim, 'utf8'), 'precious', 'a link under a name that can be guessed');
  unlinkSync(path);
  symlinkSync(victim, path);
  new PidFile(path).write();
  t.equal(readFileSync(victim, 'utf8'), 'precious', 'a link at the path is replaced');
  t.equal(readFileSync(path, 'utf8'), MINE);
});

t.test('the path is resolved once', async (t) => {
  const folder = scratch(t);
  for (const name of ['one', 'two']) mkdirSync(join(folder, name));
  symlinkSync('one', join(folder, 'current'));
  const file = new PidFile(join(folder, 'current', 'app.pid'));
  file.write();
  symlinkSync('two', join(folder, 'next'));
  renameSync(join(folder, 'next'), join(folder, 'current'));
  writeFileSync(join(folder, 'two', 'app.pid'), MINE);
  file.remove();
  t.strictSame(readdirSync(join(folder, 'one')), [], 'removed where it was written');
  t.strictSame(readdirSync(join(folder, 'two')), ['app.pid'], 'and not in the folder that the link leads to now');
});

t.test('the file is put back if it is gone or names another process', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.pid');
  const file = new PidFile(path);
  file.restore();
  t.equal(readFileSync(path, 'utf8'), MINE, 'gone');
  writeFileSync(path, '1\n');
  file.restore();
  t.equal(readFileSync(path, 'utf8'), MINE, 'another process');
  const reports = recordReports(t);
  new PidFile(join(folder, 'missing', 'app.pid')).restore();
  t.match(reports, [/^warning: cannot write the pid file/]);
});

t.test('the file is removed only by the process that it names', async (t) => {
  const path = join(scratch(t), 'app.pid');
  const file = new PidFile(path);
  file.write();
  file.remove();
  t.notOk(existsSync(path));
  file.remove();
  for (const text of ['1\n', '', `${process.pid}0\n`]) {
    writeFileSync(path, text);
    file.remove();
    t.equal(readFileSync(path, 'utf8'), text, `${JSON.stringify(text)} is of another process`);
  }
});

t.test('a file that cannot be removed is a warning', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), '');
  const reports = recordReports(t);
  new PidFile(join(folder, 'file', 'app.pid')).remove();
  t.match(reports, [/^warning: cannot remove the pid file .*ENOTDIR/]);
});
