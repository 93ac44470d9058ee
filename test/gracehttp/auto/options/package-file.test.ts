import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findPackage } from '../../../../gracehttp/auto/options/package-file.js';
import { fails } from '../../../support/errors.js';
import { scratch } from '../../../support/scratch.js';

t.test('the package.json of the program', async (t) => {
  const folder = scratch(t);
  const site = join(folder, 'site');
  mkdirSync(join(site, 'dist'), { recursive: true });
  mkdirSync(join(site, 'node_modules/next/bin'), { recursive: true });
  const path = join(site, 'package.json');
  writeFileSync(path, '{ "grace": { "drainTimeout": 1 } }');
  const found = { path, grace: { drainTimeout: 1 } };
  t.strictSame(findPackage(join(site, 'dist/server.js'), '/'), found, 'the nearest one above the program');
  writeFileSync(join(site, 'node_modules/next/package.json'), '{ "name": "next" }');
  t.strictSame(findPackage(join(site, 'node_modules/next/bin/next'), site), found, 'of a package: that of the directory');
  t.strictSame(findPackage(undefined, site), found, 'node -e');
  writeFileSync(join(folder, 'other.js'), '');
  t.equal(findPackage(join(folder, 'other.js'), '/'), undefined);
});

t.test('one that is no JSON', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'package.json');
  writeFileSync(path, '{ "name": nothing }');
  t.equal(findPackage(join(folder, 'server.js'), folder), undefined, 'without the key it is not read');
  writeFileSync(path, '{ "grace": nothing }');
  await fails(t, () => findPackage(join(folder, 'server.js'), folder), { code: 'OPTION_INVALID', subject: path }, 'with the key');
});
