import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { throughIntermediate, untilGone } from '../../../lib/launch/intermediate.js';

const PRINT = `
const { ppid, pid, argv, env } = process;
process.stdout.write(JSON.stringify({ ppid, pid, args: argv.slice(1), word: env.WORD }));
setInterval(() => undefined, 1000);
`;

t.test('the program has another parent, and all arguments and variables', async (t) => {
  const words = ['two words', '$HOME', '"quoted"', '', '*'];
  const { file, args, cwd } = throughIntermediate({ file: process.execPath, args: ['-e', PRINT, '--', ...words], cwd: '/' });
  const shell = spawn(file, args, { cwd, env: { ...process.env, NODE_OPTIONS: '', WORD: 'kept' } });
  const [[code], [output]] = (await Promise.all([once(shell, 'exit'), once(shell.stdout, 'data')])) as [[number], [Buffer]];
  t.equal(code, 0, 'the intermediate exits');
  const { ppid, pid, args: seen, word } = JSON.parse(output.toString()) as Record<string, unknown>;
  t.not(ppid, process.pid);
  t.not(ppid, shell.pid);
  t.same(seen, words);
  t.equal(word, 'kept');

  let gone = false;
  const end = untilGone(pid as number).then(() => {
    gone = true;
  });
  await untilGone(undefined);
  t.notOk(gone, 'while it runs');
  process.kill(pid as number, 'SIGKILL');
  await end;
  t.ok(isGone(pid as number), 'it has ended, and may be a zombie');
});

function isGone(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}
