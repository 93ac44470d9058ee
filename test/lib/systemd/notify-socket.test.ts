import { join } from 'node:path';
import t, { type Test } from 'tap';
import { NotifySocket } from '../../../lib/systemd/notify-socket.js';
import { scratch } from '../../support/scratch.js';
import { type NotifyRecorder, recordInPath } from '../../support/systemd/notify-recorder.js';

function record(t: Test, script?: string): { recorder: NotifyRecorder; socket: NotifySocket } {
  const recorder = recordInPath(t, script);
  return { recorder, socket: new NotifySocket(recorder.env['NOTIFY_SOCKET']!) };
}

t.test('messages are sent one after the other, and those that come meanwhile are merged', async (t) => {
  const { recorder, socket } = record(t);
  const failures = await Promise.all([
    socket.send({ READY: 1, STATUS: 'first' }),
    socket.send({ STATUS: 'second', WATCHDOG: 1 }),
    socket.send({ STATUS: 'third = 3' }),
  ]);
  t.strictSame(failures, [undefined, undefined, undefined]);
  t.equal(await socket.send({ STOPPING: 1 }), undefined);
  t.same(
    recorder.all.map(({ fields }) => fields),
    [{ READY: '1', STATUS: 'first' }, { STATUS: 'third = 3', WATCHDOG: '1' }, { STOPPING: '1' }],
  );
});

t.test('what was said last comes last in a merged message', async (t) => {
  const { recorder, socket } = record(t);
  await Promise.all(
    [{ WATCHDOG: 1 }, { READY: 1 }, { RELOADING: 1 }, { READY: 1, STATUS: 'failed' }].map((message) => socket.send(message)),
  );
  t.strictSame(Object.keys(recorder.all[1]!.fields), ['RELOADING', 'READY', 'STATUS']);
});

t.test('systemd-notify is started again after a SIGTERM', async (t) => {
  const once = 'test -e "$NOTIFY_SOCKET.hit" || { : > "$NOTIFY_SOCKET.hit"; kill -TERM $$; }';
  const { recorder, socket } = record(t, `#!/bin/sh\n${once}\nprintf '%s\\t%s\\n' $PPID "$1" >> "$NOTIFY_SOCKET"\n`);
  t.strictSame(await Promise.all([socket.send({ READY: 1 }), socket.send({ STOPPING: 1 })]), [undefined, undefined]);
  t.same(
    recorder.all.map(({ fields }) => Object.keys(fields)),
    [['READY'], ['STOPPING']],
    'in order',
  );
  const always = record(t, '#!/bin/sh\nkill -TERM $$\n');
  t.equal(await always.socket.send({ READY: 1 }), 'systemd-notify ended with SIGTERM', 'but not without end');
});

t.test('systemd-notify fails', async (t) => {
  const { socket } = record(t, '#!/bin/sh\nexit 1\n');
  const failure = 'systemd-notify ended with 1';
  t.strictSame(await Promise.all([socket.send({ READY: 1 }), socket.send({ WATCHDOG: 1 })]), [failure, failure]);
});

t.test('there is no systemd-notify', async (t) => {
  const { socket } = record(t);
  process.env['PATH'] = join(scratch(t), 'empty');
  const failure = 'spawn systemd-notify ENOENT';
  t.strictSame(await Promise.all([socket.send({ READY: 1 }), socket.send({ WATCHDOG: 1 })]), [failure, failure]);
});

t.test('close() stops a message that gets no answer', async (t) => {
  const { socket } = record(t, '#!/bin/sh\nexec sleep 60\n');
  const sent = [socket.send({ READY: 1 }), socket.send({ WATCHDOG: 1 })];
  socket.close();
  t.notOk((await Promise.all(sent)).includes(undefined));
  t.ok(await socket.send({ STOPPING: 1 }), 'and nothing is sent after it');
});
