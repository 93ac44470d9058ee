import { execFileSync } from 'node:child_process';
import t from 'tap';
import { withPreload, withoutPreload } from '../../../lib/launch/preload-contract.js';

const MODULE = 'console.log("a b", \'c\', `\\\\ %`)';

t.test('the options come back as they were', async (t) => {
  for (const options of [undefined, '--max-old-space-size=100', '--import "data:text/javascript,0" --inspect', '--require "/a b.js"']) {
    t.equal(withoutPreload(withPreload(MODULE, options)), options);
  }
});

t.test('options without the preload stay as they are', async (t) => {
  for (const options of [undefined, '', '--inspect', '--import ./x.mjs']) t.equal(withoutPreload(options), options);
});

t.test('Node.js runs the module as it was written', async (t) => {
  const text = `${String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))}\u20ac\u{1f600}%41`;
  // A template keeps the line breaks that are in it.
  const written = text.replace(/[`$\\]/g, '\\$&');
  const module = `console.log(JSON.stringify(\`${written}\`))`;
  // env(1) sets the variable, as the test runner changes those that go to spawn().
  const command = [`NODE_OPTIONS=${withPreload(module, undefined)}`, process.execPath, '-e', '0'];
  t.equal(
    JSON.parse(execFileSync('env', command, { encoding: 'utf8' })),
    text.replaceAll('\r', '\n'),
    'a template has no carriage returns',
  );
});
