import t from 'tap';
import { readOptions } from '../../../lib/options.js';
import {
  type ForwardedAction,
  type RestartAction,
  type Situation,
  type StopAction,
  actionOnForwarded,
  actionOnRestart,
  actionOnStop,
  endingSignals,
  forwardedSignals,
  howToForce,
} from '../../../lib/signals/meaning.js';

const SERVING: Situation = {
  state: 'serving',
  reason: undefined,
  systemd: false,
  superdaemon: undefined,
  firstProcess: false,
  forceExit: true,
};
const STARTING: Situation = { ...SERVING, state: 'starting' };
const STOPPING: Situation = { ...SERVING, state: 'draining', reason: 'stop' };
const HANDED_OVER: Situation = { ...SERVING, state: 'draining', reason: 'handover' };
const UNDER_SYSTEMD = { systemd: true };
const UNDER_START_SERVER = { superdaemon: 42 };
const WITHOUT_FORCE = { forceExit: false };
const FIRST_PROCESS: Situation = { ...HANDED_OVER, firstProcess: true };

t.test('stop signals', async (t) => {
  const table: readonly (readonly [what: string, situation: Situation, first: StopAction, second: StopAction, signal?: NodeJS.Signals])[] =
    [
      ['starting', STARTING, 'drain', 'exit'],
      ['serving', SERVING, 'drain', 'exit'],
      ['stopping', STOPPING, 'ignore', 'exit'],
      ['after a hand-over', HANDED_OVER, 'ignore', 'exit'],
      ['closed: it exits now', { ...STOPPING, state: 'closed' }, 'ignore', 'ignore'],
      ['systemd, serving', { ...SERVING, ...UNDER_SYSTEMD }, 'drain', 'exit'],
      ['systemd, stopping: it repeats SIGTERM', { ...STOPPING, ...UNDER_SYSTEMD }, 'report-drain', 'report-drain'],
      ['systemd, stopping, SIGINT: from a user', { ...STOPPING, ...UNDER_SYSTEMD }, 'ignore', 'exit', 'SIGINT'],
      ['systemd, after a hand-over', { ...HANDED_OVER, ...UNDER_SYSTEMD }, 'report-drain', 'report-drain'],
      ['systemd, after a hand-over, SIGINT', { ...HANDED_OVER, ...UNDER_SYSTEMD }, 'report-drain', 'report-drain', 'SIGINT'],
      ['start_server, serving', { ...SERVING, ...UNDER_START_SERVER }, 'drain', 'drain'],
      ['start_server, stopping: it passes on what a terminal sends to both', { ...STOPPING, ...UNDER_START_SERVER }, 'ignore', 'ignore'],
      ['the first process: the generation that serves drains', FIRST_PROCESS, 'ignore', 'cut-off'],
      ['forceExit: false', { ...STOPPING, ...WITHOUT_FORCE }, 'ignore', 'ignore'],
      ['forceExit: false in the first process', { ...FIRST_PROCESS, ...WITHOUT_FORCE }, 'ignore', 'ignore'],
    ];
  for (const [what, situation, first, second, signal = 'SIGTERM'] of table) {
    t.equal(actionOnStop(signal, situation, false), first, `${what}: first`);
    t.equal(actionOnStop(signal, situation, true), second, `${what}: second`);
  }
});

t.test('restart signals', async (t) => {
  const table: readonly (readonly [what: string, situation: Situation, action: RestartAction])[] = [
    ['serving', SERVING, 'restart'],
    ['serving under systemd', { ...SERVING, ...UNDER_SYSTEMD }, 'restart'],
    ['starting', STARTING, 'not-serving'],
    ['stopping', STOPPING, 'not-serving'],
    ['after a hand-over', HANDED_OVER, 'not-serving'],
    ['under start_server', { ...SERVING, ...UNDER_START_SERVER }, 'superdaemon'],
    ['the first process', FIRST_PROCESS, 'ignore'],
  ];
  for (const [what, situation, action] of table) t.equal(actionOnRestart(situation), action, what);
});

t.test('signals that the first process passed on', async (t) => {
  const { signals } = readOptions({});
  const table: readonly (readonly [situation: Situation, signal: NodeJS.Signals, action: ForwardedAction, handled?: boolean])[] = [
    [SERVING, 'SIGTERM', 'stop'],
    [SERVING, 'SIGINT', 'stop'],
    [SERVING, 'SIGUSR2', 'restart'],
    [SERVING, 'SIGHUP', 'raise', true],
    [SERVING, 'SIGHUP', 'ignore'],
    [STOPPING, 'SIGTERM', 'stop'],
    [HANDED_OVER, 'SIGTERM', 'pass-on'],
    [HANDED_OVER, 'SIGHUP', 'pass-on'],
  ];
  const none = readOptions({ signals: false }).signals;
  t.equal(actionOnForwarded('SIGTERM', SERVING, none, false), 'raise', 'without a handler SIGTERM ends the process');
  for (const [situation, signal, action, handled = false] of table) {
    t.equal(actionOnForwarded(signal, situation, signals, handled), action, `${signal}, ${situation.state} ${situation.reason ?? ''}`);
  }
  t.strictSame(forwardedSignals(signals), ['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP']);
  const own = readOptions({ signals: { stop: ['SIGQUIT'], restart: [], reload: ['SIGHUP'] } }).signals;
  t.strictSame(forwardedSignals(own), ['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP', 'SIGQUIT'], 'each once');
});

t.test('a message about a drain says how to end it, if a signal does', async (t) => {
  t.equal(howToForce('SIGINT', SERVING), '; Ctrl-C again to quit');
  t.equal(howToForce('SIGTERM', SERVING), '; SIGTERM again to exit at once');
  t.equal(howToForce('SIGTERM', { ...SERVING, ...UNDER_SYSTEMD }), '');
  t.equal(howToForce('SIGINT', { ...SERVING, ...UNDER_SYSTEMD }), '; Ctrl-C again to quit');
  t.equal(howToForce('SIGTERM', { ...SERVING, ...UNDER_START_SERVER }), '');
  t.equal(howToForce('SIGINT', { ...SERVING, ...WITHOUT_FORCE }), '');
});

t.test('the signals that end the service', async (t) => {
  const { signals } = readOptions({ signals: { stop: ['SIGQUIT', 'SIGTERM'] } });
  t.strictSame(endingSignals(signals, false), ['SIGQUIT', 'SIGTERM'], 'the others end this process by themselves');
  t.strictSame(endingSignals(signals, true), ['SIGTERM', 'SIGINT', 'SIGQUIT']);
});
