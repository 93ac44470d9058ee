import { chmodSync, mkdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStartDirectory, usableDirectory } from '../../../lib/launch/start-directory.js';
import { fails } from '../../support/errors.js';
import { scratch } from '../../support/scratch.js';

t.test('$PWD counts if it names the current directory', async (t) => {
  const physical = process.cwd();
  const folder = scratch(t);
  symlinkSync(physical, join(folder, 'link'));
  symlinkSync('loop', join(folder, 'loop'));
  writeFileSync(join(folder, 'file'), '');
  t.same(readStartDirectory(join(folder, 'link')), { physical, named: join(folder, 'link') });
  const odd = [
    undefined,
    '',
    '.',
    'relative',
    '/',
    '/not/there',
    join(folder, 'loop'),
    join(folder, 'file/x'),
    `/${'x'.repeat(5_000)}`,
    '/\0',
  ];
  for (const named of odd) t.same(readStartDirectory(named), { physical, named: undefined }, JSON.stringify(named)?.slice(0, 30));
});

t.test('a directory that was deleted', async (t) => {
  const [directory, folder] = [process.cwd(), join(scratch(t), 'gone')];
  mkdirSync(folder);
  process.chdir(folder);
  t.teardown(() => process.chdir(directory));
  rmdirSync(folder);
  t.same(readStartDirectory(folder), { physical: undefined, named: folder });
  t.same(readStartDirectory('relative'), { physical: undefined, named: undefined });
});

t.test('a directory in which no process can be started is an error that names it', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), '');
  chmodSync(join(folder, 'file'), 0o755);
  for (const named of [join(folder, 'gone'), join(folder, 'file')]) {
    const { message } = await fails(
      t,
      () => usableDirectory({ physical: '/', named }),
      { code: 'RESTART_FAILED', subject: 'directory', value: named },
      named,
    );
    t.match(message, JSON.stringify(named));
  }
  await fails(
    t,
    () => usableDirectory({ physical: undefined, named: undefined }),
    { code: 'RESTART_FAILED', subject: 'directory', value: undefined },
    'unknown',
  );
  t.equal(usableDirectory({ physical: folder, named: undefined }), folder);
});
