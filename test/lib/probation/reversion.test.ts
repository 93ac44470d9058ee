import t from 'tap';
import { type Fault, reversionError } from '../../../lib/probation/reversion.js';
import { type Ending } from '../../../lib/handoff/restart-error.js';

const ENDING: Ending = { pid: 7, exitCode: null, signal: null, stderr: '', cause: undefined };

function messageOf(fault: Fault, ending: Partial<Ending> = {}, lost = 0): string {
  return reversionError(fault, { ...ENDING, ...ending }, lost).message;
}

t.test('the message says who failed, how, and what was lost', async (t) => {
  const begin = 'restart taken back, this process serves again: the successor (process 7)';
  t.equal(messageOf({ kind: 'ended' }, { exitCode: 3 }), `${begin} exited with code 3 on probation`);
  t.match(
    messageOf({ kind: 'ended' }, { signal: 'SIGKILL' }, 1),
    /SIGKILL on probation; up to 1 connection that had moved to it ended with it$/,
  );
  t.match(messageOf({ kind: 'ended' }, { exitCode: 1, stderr: 'a bug' }, 12), /; up to 12 connections that had moved .*a bug$/s);
  t.equal(messageOf({ kind: 'hung', limit: 2_000 }), `${begin} gave no sign of life for 2 s, and was killed`);
  t.equal(messageOf({ kind: 'failed', reason: 'too many errors' }), `${begin} is broken: too many errors`);
  t.match(messageOf({ kind: 'ended' }, { pid: undefined }), /process unknown/);
});

t.test('the facts are properties', async (t) => {
  const error = reversionError({ kind: 'ended' }, { ...ENDING, exitCode: 3, stderr: 'a bug' }, 2);
  t.match(error, { code: 'RESTART_REVERTED', pid: 7, exitCode: 3, signal: null, stderr: 'a bug', lost: 2 });
});
