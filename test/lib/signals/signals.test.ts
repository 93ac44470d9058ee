import t, { type Test } from 'tap';
import { GraceError } from '../../../lib/errors.js';
import { readOptions } from '../../../lib/options.js';
import { type Situation } from '../../../lib/signals/meaning.js';
import { SelfSent } from '../../../lib/signals/self-sent.js';
import { Signals } from '../../../lib/signals/signals.js';
import { recordReports } from '../../support/reports.js';
import { waitUntil } from '../../support/wait.js';

const SERVING: Situation = {
  state: 'serving',
  reason: undefined,
  systemd: false,
  superdaemon: undefined,
  firstProcess: false,
  forceExit: true,
};
const UNDER_SYSTEMD: Situation = { ...SERVING, state: 'draining', reason: 'stop', systemd: true };
const HANDED_OVER: Situation = { ...SERVING, state: 'draining', reason: 'handover' };
const FIRST_PROCESS: Situation = { ...HANDED_OVER, firstProcess: true };
/** Nothing else in this process uses these. */
const OPTIONS = readOptions({ signals: { stop: ['SIGWINCH'], restart: ['SIGURG'] } }).signals;

interface Recorded {
  readonly signals: Signals;
  /** What was called, in order. */
  readonly calls: string[];
  situation: Situation;
  restart: () => Promise<unknown>;
}

function record(t: Test, situation: Situation = SERVING, options = OPTIONS): Recorded {
  const calls: string[] = [];
  const selfSent = new SelfSent(options.stop);
  const recorded: Recorded = {
    calls,
    situation,
    restart: () => Promise.resolve(),
    signals: new Signals(options, selfSent, {
      situation: () => recorded.situation,
      drain: (signal) => calls.push(`drain ${signal}`),
      restart: () => {
        calls.push('restart');
        return recorded.restart();
      },
      reportDrain: () => calls.push('reportDrain'),
      cutOff: (signal) => calls.push(`cutOff ${signal}`),
      beforeExit: () => calls.push('beforeExit'),
      passOn: (signal, self) => calls.push(`passOn ${signal} ${self}`),
    }),
  };
  t.teardown(() => {
    recorded.signals.remove();
    selfSent.remove();
  });
  return recorded;
}

t.test('a signal of each kind does what it means, until the handlers are removed', async (t) => {
  const recorded = record(t);
  process.kill(process.pid, 'SIGWINCH');
  await waitUntil('the stop', () => recorded.calls.length === 1);
  process.kill(process.pid, 'SIGURG');
  await waitUntil('the restart', () => recorded.calls.length === 2);
  t.strictSame(recorded.calls, ['drain SIGWINCH', 'restart']);
  recorded.signals.remove();
  t.equal(process.listenerCount('SIGURG'), 0);
  t.equal(process.listenerCount('SIGWINCH'), 1, 'that of the counting');
});

t.test('a signal that the first process passed on', async (t) => {
  const table: readonly (readonly [situation: Situation, signal: NodeJS.Signals, calls: readonly string[]])[] = [
    [SERVING, 'SIGWINCH', ['drain SIGWINCH']],
    [SERVING, 'SIGURG', ['restart']],
    [SERVING, 'SIGCONT', []],
    [HANDED_OVER, 'SIGWINCH', ['passOn SIGWINCH false']],
  ];
  for (const [situation, signal, calls] of table) {
    const recorded = record(t, situation);
    recorded.signals.forwarded(signal, false);
    t.strictSame(recorded.calls, calls, `${signal} while ${situation.state} ${situation.reason ?? ''}`);
  }
  let raised = 0;
  const onRaised = (): void => {
    raised += 1;
  };
  process.on('SIGCONT', onRaised);
  t.teardown(() => process.off('SIGCONT', onRaised));
  record(t).signals.forwarded('SIGCONT', false);
  await waitUntil('the signal that the program handles', () => raised === 1);
  const own = record(t, HANDED_OVER);
  own.signals.forwarded('SIGWINCH', true);
  t.strictSame(own.calls, ['passOn SIGWINCH true'], 'whether the first process sent it to itself is passed on');
});

t.test('systemd repeats its SIGTERM: each asks for more time', async (t) => {
  const { signals, calls } = record(t, UNDER_SYSTEMD, { ...OPTIONS, stop: ['SIGTERM'] });
  signals.forwarded('SIGTERM', false);
  signals.forwarded('SIGTERM', false);
  t.strictSame(calls, ['reportDrain', 'reportDrain']);
});

t.test('the first process: a first signal is for the generation that serves, a second one cuts off what is left here', async (t) => {
  const recorded = record(t, { ...SERVING, firstProcess: true });
  const forward = (): void => recorded.signals.forwarded('SIGWINCH', false);
  forward();
  t.strictSame(recorded.calls, []);
  await waitUntil('a second request', () => {
    forward();
    return recorded.calls.length > 0;
  });
  t.strictSame(recorded.calls, ['cutOff SIGWINCH'], 'and does not exit');
});

t.test('why a restart is not possible is said once, and a failed one was reported already', async (t) => {
  const reports = recordReports(t);
  const recorded = record(t, { ...SERVING, state: 'starting' });
  recorded.signals.requestRestart('SIGUSR2');
  recorded.situation = { ...SERVING, superdaemon: 42 };
  recorded.signals.requestRestart('SIGUSR2');
  recorded.situation = FIRST_PROCESS;
  recorded.signals.requestRestart('SIGUSR2');
  t.strictSame(recorded.calls, [], 'no restart');
  recorded.situation = SERVING;
  for (const error of [
    new GraceError('RESTART_FAILED', 'reported'),
    new Error('not ours'),
    new GraceError('RESTART_UNSUPPORTED', 'no way'),
  ]) {
    recorded.restart = () => Promise.reject(error);
    recorded.signals.requestRestart('SIGUSR2');
  }
  await waitUntil('the last report', () => reports.length >= 3);
  t.strictSame(recorded.calls, ['restart', 'restart', 'restart']);
  t.strictSame(reports, [
    'warning: SIGUSR2 ignored: this process is starting',
    'warning: SIGUSR2 ignored: start_server restarts this process; send SIGHUP to process 42',
    'warning: no way',
  ]);
});
