import t from 'tap';
import { GraceError } from '../../../lib/errors.js';
import { type Ending, PREDECESSOR_STOPS, asRestartError, successorError } from '../../../lib/handoff/restart-error.js';

const ENDING: Ending = { pid: 10, exitCode: 7, signal: null, stderr: '', cause: undefined };
const BEGIN = 'restart failed, this process keeps serving: ';

t.test('the error says how the successor ended', async (t) => {
  const notFound = new Error('spawn ENOENT');
  const table: readonly (readonly [change: Partial<Ending>, stopped: string | undefined, message: string])[] = [
    [{}, undefined, 'the successor (process 10) exited with code 7 before it was ready'],
    [{ exitCode: undefined }, undefined, 'the successor (process 10) exited with an unknown code before it was ready'],
    [{ exitCode: null, signal: 'SIGSEGV' }, undefined, 'the successor (process 10) was killed by SIGSEGV before it was ready'],
    [{ stderr: 'a\nb' }, undefined, 'the successor (process 10) exited with code 7 before it was ready; the end of its stderr:\na\nb'],
    [{}, 'was not ready within 5 ms', 'the successor (process 10) was not ready within 5 ms'],
    [{ pid: undefined }, undefined, 'the successor (process unknown) exited with code 7 before it was ready'],
    [{ pid: undefined, cause: notFound }, undefined, 'the successor could not be started: spawn ENOENT'],
  ];
  for (const [change, stopped, message] of table) {
    const ending = { ...ENDING, ...change };
    const error = successorError(ending, stopped);
    t.equal(error.message, BEGIN + message);
    t.equal(error.code, 'RESTART_FAILED');
    t.match(error, { exitCode: ending.exitCode, signal: ending.signal, stderr: ending.stderr });
    t.equal(error.cause, ending.cause);
  }
});

t.test('a restart that was given up does not say that this process keeps serving', async (t) => {
  const message = 'restart given up, because this process stops: the successor (process 10) was stopped too';
  t.equal(successorError(ENDING, PREDECESSOR_STOPS).message, message);
  t.equal(asRestartError(new Error('no'), false).message, 'restart given up, because this process stops: no');
});

t.test('any other error', async (t) => {
  const own = new GraceError('PID_FILE', 'm');
  t.equal(asRestartError(own, true), own, 'a GraceError is returned as it is');
  const cause = new Error('no');
  t.match(asRestartError(cause, true), { code: 'RESTART_FAILED', message: `${BEGIN}no` });
  t.equal(asRestartError(cause, true).cause, cause);
  t.match(asRestartError('text', true), { code: 'RESTART_FAILED', message: `${BEGIN}text` });
});
