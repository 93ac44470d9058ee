import t from 'tap';
import { milliseconds, wholeNumber } from '../../lib/check/numbers.js';
import { type GraceOptions, optionNames, readOptions } from '../../lib/options.js';
import { fails } from '../support/errors.js';
import fc from 'fast-check';
import { holds, unlessRefused } from '../support/properties/holds.js';
import { anything } from '../support/properties/values.js';

const MAX_MS = 2_147_483_647;

t.test('defaults', async (t) => {
  const { beforeRestart, onShutdown, env, ...rest } = readOptions({});
  t.strictSame(env(), {});
  t.strictSame(rest, {
    drainTimeout: 30_000,
    idleTimeout: 5_000,
    drainDelay: 0,
    restartTimeout: 60_000,
    pidFile: undefined,
    signals: { stop: ['SIGTERM', 'SIGINT'], restart: ['SIGUSR2'], reload: ['SIGHUP'], revert: [] },
    exit: true,
    follow: 'auto',
    forceExit: true,
    moveConnections: true,
    probation: { time: 5_000, hangTimeout: 5_000 },
    handoverTime: 0,
    maxDraining: 3,
    recycle: undefined,
    exitWhenIdle: 0,
    log: undefined,
    command: undefined,
  });
  t.equal(beforeRestart(), undefined);
  t.equal(onShutdown(), undefined);
});

t.test('given values are used', async (t) => {
  const options: GraceOptions = {
    drainTimeout: 2,
    idleTimeout: 0,
    drainDelay: 1,
    restartTimeout: MAX_MS,
    pidFile: '/run/a.pid',
    signals: { stop: ['SIGQUIT'], restart: [], reload: ['SIGUSR1'], revert: ['SIGWINCH'] },
    exit: false,
    follow: false,
    forceExit: false,
    moveConnections: false,
    probation: { time: 0, hangTimeout: 1 },
    handoverTime: 1,
    maxDraining: 1,
    recycle: { rss: 1, age: 2, eventLoopDelay: 3, jitter: 0, minInterval: 0, interval: 10 },
    exitWhenIdle: 7,
    log: () => undefined,
    command: ['sh', '-c', ''],
    beforeRestart: () => 1,
    onShutdown: () => 2,
  };
  const { env, ...rest } = readOptions({ ...options, env: { A: '1', B: undefined } });
  t.strictSame(rest, options);
  t.strictSame(env(), { A: '1', B: undefined });
  t.strictSame(await readOptions({ env: async () => ({ A: '2' }) }).env(), { A: '2' });
});

t.test('variables for a successor', async (t) => {
  const wrong: readonly (readonly [subject: string, env: unknown, value: unknown])[] = [
    ['env', null, null],
    ['env', 5, 5],
    ['env', ['A'], ['A']],
    ['env', { 'A=B': '1' }, 'A=B'],
    ['env', { '': '1' }, ''],
    ['env', { 'A\0': '1' }, 'A\0'],
    ['env.A', { A: 5 }, 5],
    ['env.A', { A: null }, null],
    ['env.A', { A: '\0' }, '\0'],
  ];
  for (const [subject, env, value] of wrong) {
    const facts = { code: 'OPTION_INVALID', subject, value } as const;
    await fails(t, async () => readOptions({ env: env as Record<string, string> }).env(), facts, `env ${JSON.stringify(env)}`);
    await fails(
      t,
      async () => readOptions({ env: () => env as Record<string, string> }).env(),
      facts,
      `a function that returns ${JSON.stringify(env)}`,
    );
  }
});

t.test('the command for a successor', async (t) => {
  for (const command of ['node', [], [''], ['node', 5], ['node', '\0'], null, { 0: 'node' }]) {
    const facts = { code: 'OPTION_INVALID', subject: 'command', value: command } as const;
    await fails(t, () => readOptions({ command: command as string[] }), facts, JSON.stringify(command));
  }
});

t.test('times', async (t) => {
  const bad = [
    -1,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    MAX_MS + 1,
    '1000',
    '',
    null,
    true,
    {},
    [],
    [5],
    5n,
    Symbol('s'),
    () => 5,
    Object.create(null),
  ];
  for (const option of ['drainTimeout', 'idleTimeout', 'drainDelay', 'restartTimeout']) {
    for (const [index, value] of bad.entries()) {
      const { message } = await fails(
        t,
        () => readOptions({ [option]: value }),
        { code: 'OPTION_INVALID', subject: option, value },
        `${option}, bad value ${index}`,
      );
      t.match(message, `the option ${option} is `);
      t.match(message, `expected a whole number of milliseconds from 0 to ${MAX_MS}`);
    }
    t.equal(readOptions({ drainTimeout: MAX_MS, [option]: 5 })[option as 'idleTimeout'], 5);
    t.equal(
      readOptions({ [option]: undefined })[option as 'idleTimeout'],
      readOptions({})[option as 'idleTimeout'],
      'undefined is the default',
    );
  }
});

t.test('a delay that leaves no time to drain', async (t) => {
  for (const drainDelay of [100, 101]) {
    const facts = { code: 'OPTION_INVALID', subject: 'drainDelay', value: drainDelay } as const;
    await fails(t, () => readOptions({ drainTimeout: 100, drainDelay }), facts, `${drainDelay} of 100 ms`);
  }
  t.equal(readOptions({ drainTimeout: 100, drainDelay: 99 }).drainDelay, 99);
  t.equal(readOptions({ drainTimeout: 0 }).drainTimeout, 0, 'no time at all is allowed');
});

t.test('other types', async (t) => {
  const types: Record<string, readonly unknown[]> = {
    pidFile: [5, null, true, {}, [], () => 'x'],
    exit: ['false', 0, 1, null, {}, () => true],
    follow: ['yes', 0, 1, null, {}, () => true],
    forceExit: ['false', 0, 1, null, {}, () => true],
    log: ['x', 5, null, true, {}],
    beforeRestart: ['x', 5, null, true, {}, Promise.resolve()],
    onShutdown: ['x', 5, null, true, {}, Promise.resolve()],
  };
  for (const [option, values] of Object.entries(types)) {
    for (const value of values) {
      await fails(
        t,
        () => readOptions({ [option]: value }),
        { code: 'OPTION_INVALID', subject: option, value },
        `${option}: ${String(value)}`,
      );
    }
    t.doesNotThrow(() => readOptions({ [option]: undefined }));
  }
});

t.test('options that are not an object', async (t) => {
  for (const options of [null, 'x', 5, true]) {
    await fails(t, () => readOptions(options as never), { code: 'OPTION_INVALID', subject: 'options', value: options }, String(options));
  }
});

t.test('signals', async (t) => {
  t.strictSame(readOptions({ signals: false }).signals, { stop: [], restart: [], reload: [], revert: [] }, 'false for none');
  t.strictSame(readOptions({ signals: {} }).signals, readOptions({}).signals);
  t.strictSame(readOptions({ signals: { stop: [] } }).signals, { stop: [], restart: ['SIGUSR2'], reload: ['SIGHUP'], revert: [] });
  t.strictSame(readOptions({ signals: { restart: ['SIGHUP', 'SIGUSR2'] } }).signals.restart, ['SIGHUP', 'SIGUSR2']);
  t.strictSame(readOptions({ signals: { restart: ['SIGHUP'] } }).signals.reload, [], 'SIGHUP restarts, and then does not reload');
  await fails(
    t,
    () => readOptions({ follow: true, exit: false }),
    { code: 'OPTION_INVALID', subject: 'follow', value: true },
    'follow needs exit',
  );
  for (const value of [true, null, 'SIGTERM', 5]) {
    await fails(t, () => readOptions({ signals: value as never }), { code: 'OPTION_INVALID', subject: 'signals', value }, String(value));
  }
  const lists = [
    'SIGTERM',
    null,
    {},
    [5],
    [null],
    ['sigterm'],
    ['TERM'],
    ['SIGNOTHING'],
    ['SIG'],
    ['toString'],
    ['SIGKILL'],
    ['SIGSTOP'],
    ['SIGHUP', 15],
  ];
  for (const kind of ['stop', 'restart', 'reload', 'revert']) {
    for (const value of lists) {
      const facts = { code: 'OPTION_INVALID', subject: `signals.${kind}`, value } as const;
      await fails(t, () => readOptions({ signals: { [kind]: value } as never }), facts, `${kind}: ${JSON.stringify(value)}`);
    }
  }
  for (const signals of [{ restart: ['SIGTERM'] }, { stop: ['SIGUSR2'] }, { stop: ['SIGHUP'], restart: ['SIGHUP'] }] as const) {
    const error = await fails(
      t,
      () => readOptions({ signals }),
      { code: 'OPTION_INVALID', subject: 'signals.restart', value: 'restart' in signals ? signals.restart : ['SIGUSR2'] },
      `one signal for both: ${JSON.stringify(signals)}`,
    );
    t.match(error.message, /SIG\w+ is already used by signals\.stop/);
  }
});

t.test('wholeNumber and milliseconds', async (t) => {
  t.equal(wholeNumber('n', undefined, 1, 5), undefined);
  for (const value of [1, 3, 5]) t.equal(wholeNumber('n', value, 1, 5), value);
  for (const value of [0, 6, -1, 1.5, NaN]) {
    await fails(t, () => wholeNumber('n', value, 1, 5), { code: 'OPTION_INVALID', subject: 'n', value }, String(value));
  }
  t.equal(milliseconds('n', undefined, 7), 7);
  t.equal(milliseconds('n', 0, 7), 0);
});

t.test('every value of every option is accepted or refused', async (t) => {
  for (const name of optionNames()) {
    holds(t, name, anything, (value) => void unlessRefused(() => readOptions({ [name]: value } as GraceOptions), 'OPTION_INVALID'));
  }
  holds(t, 'all options', anything, (value) => void unlessRefused(() => readOptions(value as GraceOptions), 'OPTION_INVALID'));
  const inside = fc.dictionary(fc.constantFrom('time', 'hangTimeout', 'rss', 'age', 'jitter', 'stop', 'restart'), anything);
  for (const name of ['probation', 'recycle', 'signals', 'env']) {
    holds(
      t,
      `inside ${name}`,
      inside,
      (value) => void unlessRefused(() => readOptions({ [name]: value } as GraceOptions), 'OPTION_INVALID'),
    );
  }
});
