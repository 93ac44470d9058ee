import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type NotifyVariables } from '../../../lib/handoff/environment.js';
import { NotifySocket, watchdogTimeout } from '../../../lib/systemd/notify-socket.js';
import { scratch } from '../../support/scratch.js';
import { NotifyRecorder } from '../../support/systemd/notify-recorder.js';

const SELF = 4711;
const NO_WATCHDOG: NotifyVariables = { socket: '/run/notify', watchdogUsec: undefined, watchdogPid: undefined };

t.test('how often the watchdog has to hear of this process', async (t) => {
  const cases = [
    [{}, undefined],
    [{ watchdogUsec: '2000000' }, 2_000],
    [{ watchdogUsec: '2000000', watchdogPid: String(SELF) }, 2_000],
    [{ watchdogUsec: '2000000', watchdogPid: '1' }, undefined],
    [{ watchdogUsec: '500' }, 0.5],
  ] as const;
  for (const [variables, expected] of cases) {
    const given = { ...NO_WATCHDOG, ...variables };
    t.equal(watchdogTimeout(given, SELF), expected, JSON.stringify(variables));
  }
});

t.test('a watchdog that is none', async (t) => {
  const cases = [
    ['WATCHDOG_USEC', { watchdogUsec: '' }],
    ['WATCHDOG_USEC', { watchdogUsec: '0' }],
    ['WATCHDOG_USEC', { watchdogUsec: '1.5' }],
    ['WATCHDOG_USEC', { watchdogUsec: '-1' }],
    ['WATCHDOG_PID', { watchdogUsec: '1', watchdogPid: 'me' }],
  ] as const;
  for (const [subject, variables] of cases) {
    const given = { ...NO_WATCHDOG, ...variables };
    t.throws(() => watchdogTimeout(given, SELF), { code: 'INHERITANCE_INVALID', subject }, JSON.stringify(variables));
  }
});

function record(t: Test, script?: string): { recorder: NotifyRecorder; socket: NotifySocket } {
  const recorder = new NotifyRecorder(scratch(t), script);
  const { PATH } = process.env;
  process.env['PATH'] = recorder.env['PATH'];
  t.teardown(() => {
    process.env['PATH'] = PATH;
  });
  return { recorder, socket: new NotifySocket(recorder.env['NOTIFY_SOCKET']!) };
}

t.test('one message after the other, and what comes meanwhile in one', async (t) => {
  const { recorder, socket } = record(t);
  const delivered = await Promise.all([
    socket.send({ READY: 1, STATUS: 'first' }),
    socket.send({ STATUS: 'second', WATCHDOG: 1 }),
    socket.send({ STATUS: 'third = 3' }),
  ]);
  t.same(delivered, [true, true, true]);
  t.ok(await socket.send({ STOPPING: 1 }));
  t.same(
    recorder.all.map(({ fields }) => fields),
    [{ READY: '1', STATUS: 'first' }, { STATUS: 'third = 3', WATCHDOG: '1' }, { STOPPING: '1' }],
  );
});

t.test('a helper that SIGTERM hits is started again', async (t) => {
  const once = 'test -e "$NOTIFY_SOCKET.hit" || { : > "$NOTIFY_SOCKET.hit"; kill -TERM $$; }';
  const { recorder, socket } = record(t, `#!/bin/sh\n${once}\nprintf '%s\\t%s\\n' $PPID "$1" >> "$NOTIFY_SOCKET"\n`);
  t.same(await Promise.all([socket.send({ READY: 1 }), socket.send({ STOPPING: 1 })]), [true, true]);
  t.same(recorder.all.map(({ fields }) => Object.keys(fields)), [['READY'], ['STOPPING']], 'in order');
  const always = record(t, '#!/bin/sh\nkill -TERM $$\n');
  t.notOk(await always.socket.send({ READY: 1 }), 'but not for ever');
});

t.test('nobody listens', async (t) => {
  const { socket } = record(t, '#!/bin/sh\nexit 1\n');
  t.same(await Promise.all([socket.send({ READY: 1 }), socket.send({ WATCHDOG: 1 })]), [false, false]);
});

t.test('no systemd-notify', async (t) => {
  const { socket } = record(t);
  process.env['PATH'] = join(scratch(t), 'empty');
  t.same(await Promise.all([socket.send({ READY: 1 }), socket.send({ WATCHDOG: 1 })]), [false, false]);
});

t.test('no answer, until it is closed', async (t) => {
  const { socket } = record(t, '#!/bin/sh\nexec sleep 60\n');
  const sent = [socket.send({ READY: 1 }), socket.send({ WATCHDOG: 1 })];
  socket.close();
  t.same(await Promise.all(sent), [false, false]);
  t.notOk(await socket.send({ STOPPING: 1 }), 'and says nothing after');
});
