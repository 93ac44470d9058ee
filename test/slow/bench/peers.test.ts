import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseResults } from '../../../bench/peers/results/results.js';
import { scratch } from '../../support/scratch.js';
import { ROOT } from '../../support/sources.js';

t.setTimeout(300_000);

/** Runs `npm run bench:peers` without the build. */
function bench(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/bench/peers/main.js'), ...args], { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

t.test('one turn: serve() loses nothing, and what server.close() loses is found', async (t) => {
  const file = join(scratch(t), 'results.json');
  const { status, output } = bench('--systems', 'serve,close', '--turns', '1', '--results', file);
  t.equal(status, 0, output);
  const { systems, missing } = parseResults(readFileSync(file, 'utf8'));
  t.strictSame([Object.keys(systems), missing], [['serve', 'close'], {}], output);
  const [serve, close] = [systems['serve']!.turns[0]!, systems['close']!.turns[0]!];
  t.strictSame([serve.lost, serve.refused, serve.reconnects], [0, 0, 0]);
  t.ok(
    serve.requests > 500 && serve.newAnswers !== null && serve.oldGone !== null && serve.oldGone > serve.newAnswers,
    JSON.stringify(serve),
  );
  t.ok(close.refused > 0 && close.lost >= close.refused && close.reconnects > 0, JSON.stringify(close));
  t.ok(serve.memoryPeak > serve.memory * 1.5, 'two processes at the same time');
  const again = bench('--systems', 'close', '--turns', '1', '--add', '--results', file);
  t.equal(again.status, 0, again.output);
  const turns = Object.values(parseResults(readFileSync(file, 'utf8')).systems).map((system) => system.turns.length);
  t.strictSame(turns, [1, 2], '--add keeps turns, --systems keeps other systems');
});

t.test('an unknown system and a number of turns that is none are errors', async (t) => {
  t.match(bench('--systems', 'serve,inetd'), { status: 1, output: /inetd is not one of serve,/ });
  t.match(bench('--turns', 'many'), { status: 1, output: /--turns many is not a positive number/ });
});
