import { chmodSync, mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { OLDEST_NODE, chooseNode, findNodePath, isSupported } from '../../../lib/launch/node-path.js';
import { scratch } from '../../support/scratch.js';
import { ROOT } from '../../support/sources.js';

const NODE = process.execPath;

function writeScript(path: string, output: string): string {
  writeFileSync(path, `#!/bin/sh\n${output}\n`);
  chmodSync(path, 0o755);
  return path;
}

function installed(t: Test): { readonly folder: string; readonly link: string } {
  const folder = scratch(t);
  mkdirSync(join(folder, 'bin'));
  const link = join(folder, 'bin/node');
  symlinkSync(NODE, link);
  return { folder, link };
}

t.test('the path by which Node.js was found', async (t) => {
  const { folder, link } = installed(t);
  writeScript(join(folder, 'node'), 'exit 0');
  t.equal(findNodePath(link, undefined, '/', NODE), link, 'an absolute path');
  t.equal(findNodePath('bin/node', undefined, folder, NODE), link, 'a relative path');
  t.equal(findNodePath('node', `/not-there:${folder}/bin:${folder}`, '/', NODE), link, 'PATH');
  t.equal(findNodePath('node', ':', join(folder, 'bin'), NODE), link, 'an empty folder in PATH is the current one');
  t.equal(findNodePath('node', `${folder}:${folder}/bin`, '/', NODE), undefined, 'another program comes first in PATH');
  t.equal(findNodePath('node', undefined, '/', NODE), undefined, 'no PATH');
  t.equal(findNodePath('/not/there', '', '/', NODE), undefined, 'argv[0] is made up');
});

t.test('the Node.js for a successor', async (t) => {
  const { folder, link } = installed(t);
  t.equal(await chooseNode(undefined, NODE), NODE);
  t.equal(await chooseNode(link, NODE), link, 'the link leads to the same version');
  for (const [output, expected] of [
    ['echo v99.1.0', link],
    ['echo v20.18.3', NODE],
    ['echo v6.0.0', NODE],
    ['echo 99.1.0', NODE],
    ['echo v99.1.0; exit 1', NODE],
    ['exit 0', NODE],
    ['kill -9 $$', NODE],
  ] as const) {
    unlinkSync(link);
    symlinkSync(writeScript(join(folder, 'other'), output), link);
    t.equal(await chooseNode(link, NODE), expected, output);
  }
  unlinkSync(link);
  t.equal(await chooseNode(link, NODE), NODE, 'a link that is gone');
  t.equal(await chooseNode(writeScript(join(folder, 'app'), 'echo v99.1.0'), NODE), NODE, 'a program with another name is not called');
});

t.test('supported versions are those of package.json', async (t) => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly engines: { readonly node: string } };
  t.equal(engines.node, `>=${OLDEST_NODE.join('.')}`);
  for (const version of ['v20.19.0', 'v20.20.2', 'v22.0.0', 'v100.1.0']) t.ok(isSupported(version), version);
  for (const version of ['v20.18.9', 'v18.20.0', 'v0.12.0', 'v', '']) t.notOk(isSupported(version), version);
});
