import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import t, { type Test } from 'tap';
import { GraceError } from '../../../lib/errors.js';
import { type GraceEvents } from '../../../lib/events.js';
import { readOptions } from '../../../lib/options.js';
import { Systemd, keepAwake } from '../../../lib/systemd/systemd.js';
import { portOf } from '../../support/address.js';
import { listening } from '../../support/sockets.js';
import { type NotifyRecorder, recordInPath } from '../../support/systemd/notify-recorder.js';
import { waitUntil } from '../../support/wait.js';

t.test('keepAwake gives signs of life until it is stopped', async (t) => {
  const times: number[] = [];
  const begin = performance.now();
  const stop = keepAwake(40, () => times.push(performance.now() - begin));
  t.equal(times.length, 1, 'at once');
  await waitUntil('three more', () => times.length >= 4);
  stop();
  t.ok(times[3]! >= 3 * 20 - 3, 'half of the timeout is between two');
  await new Promise((done) => setTimeout(done, 60));
  t.equal(times.length, 4, 'none after the stop');
});

t.test('a timeout longer than setInterval() can take', async (t) => {
  let signs = 0;
  const stop = keepAwake(2 ** 40, () => {
    signs += 1;
  });
  await new Promise((done) => setTimeout(done, 30));
  stop();
  t.equal(signs, 1);
});

/** The second report of a drain comes after 5 s; each asks for three times as much. */
const EXTENSION = '15000000';

interface Told {
  readonly grace: EventEmitter<GraceEvents> & { readonly generation: number };
  readonly systemd: Systemd;
  readonly recorder: NotifyRecorder;
  readonly server: net.Server;
  /** Waits until a message with this field was sent `nth` times. Resolves to its fields. */
  said(field: string, nth?: number): Promise<Readonly<Record<string, string>>>;
}

/** What a process says to systemd, generation 3 with one server. */
async function tell(t: Test, { predecessor, watchdogUsec }: { predecessor?: number; watchdogUsec?: string } = {}): Promise<Told> {
  const recorder = recordInPath(t);
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const facts = {
    settings: readOptions({}),
    probation: { standby: undefined },
    generation: 3,
    predecessor,
    sockets: [
      { address: 'here', server },
      { address: 'there', server: undefined },
    ],
  };
  const grace = Object.assign(new EventEmitter<GraceEvents>(), facts);
  const systemd = new Systemd(grace, { socket: recorder.env['NOTIFY_SOCKET']!, watchdogUsec, watchdogPid: undefined });
  t.teardown(() => systemd.finish(0));
  const said: Told['said'] = async (field, nth = 1) => {
    await waitUntil(`${field} number ${nth}`, () => recorder.with(field).length >= nth);
    return recorder.with(field)[nth - 1]!.fields;
  };
  return { grace, systemd, recorder, server, said };
}

t.test('READY names the addresses; a successor leaves that to its predecessor', async (t) => {
  const first = await tell(t);
  first.grace.emit('ready');
  t.strictSame(await first.said('READY'), { READY: '1', STATUS: 'generation 3 serves here, there' });
  const successor = await tell(t, { predecessor: 42 });
  successor.grace.emit('ready');
  void successor.systemd.restarting();
  await successor.said('RELOADING');
  t.strictSame(successor.recorder.with('READY'), []);
});

t.test('RELOADING has the time of the start, and a failed restart ends the reload with its reason in one line', async (t) => {
  const { grace, systemd, said } = await tell(t, { predecessor: 42 });
  grace.emit('ready');
  const before = process.hrtime.bigint() / 1_000n;
  void systemd.restarting();
  const { MONOTONIC_USEC, ...rest } = await said('RELOADING');
  t.strictSame(rest, { RELOADING: '1', STATUS: 'generation 3 serves, generation 4 is being started' });
  const time = BigInt(MONOTONIC_USEC!);
  t.ok(time >= before && time <= process.hrtime.bigint() / 1_000n, 'CLOCK_MONOTONIC in microseconds');
  systemd.restartFailed(new GraceError('RESTART_FAILED', `failed:\n  at line 1\n${'x'.repeat(5_000)}`));
  const { STATUS, READY } = await said('READY');
  t.equal(READY, '1');
  t.equal(STATUS, `failed: at line 1 ${'x'.repeat(5_000)}`.slice(0, 800));
});

t.test('a hand-over names the new main process; this one gives no sign of life any longer', async (t) => {
  const { grace, systemd, recorder, server, said } = await tell(t, { predecessor: 42, watchdogUsec: '40000' });
  t.strictSame(systemd.environment, { NOTIFY_SOCKET: recorder.env['NOTIFY_SOCKET'], WATCHDOG_USEC: '40000' }, 'for the successor');
  grace.emit('ready');
  await said('WATCHDOG', 3);
  const client = net.connect(portOf(server), '127.0.0.1');
  t.teardown(() => client.destroy());
  await once(server, 'connection');
  grace.emit('restarted', { pid: 4242 });
  const { MAINPID, READY, STATUS } = await said('MAINPID');
  t.strictSame([MAINPID, READY, STATUS], ['4242', '1', 'generation 4 serves, generation 3 handed over and drains 1 open connection']);
  await systemd.finish(0);
  t.ok('MAINPID' in recorder.all.at(-1)!.fields, 'that was its last message');
  grace.emit('draining', { reason: 'handover' });
  t.strictSame(recorder.with('STOPPING'), [], 'the service does not stop');
});

t.test('finish() waits until systemd knows the new main process, and says nothing afterwards', async (t) => {
  const { grace, systemd, recorder } = await tell(t);
  grace.emit('ready');
  grace.emit('restarted', { pid: 4242 });
  await systemd.finish(0);
  t.equal(recorder.with('MAINPID').length, 1);
});

t.test('a stop asks for more time, at once, every few seconds and at each SIGTERM, until it is finished', async (t) => {
  const { grace, systemd, recorder, said } = await tell(t);
  grace.emit('ready');
  await said('READY');
  grace.emit('draining', { reason: 'stop' });
  await said('STOPPING');
  const status = 'generation 3 stops and drains 0 open connections';
  const { EXTEND_TIMEOUT_USEC, STATUS } = await said('EXTEND_TIMEOUT_USEC');
  t.strictSame([EXTEND_TIMEOUT_USEC, STATUS], [EXTENSION, status]);
  systemd.reportDrain();
  await said('EXTEND_TIMEOUT_USEC', 2);
  const begin = performance.now();
  t.strictSame(await said('EXTEND_TIMEOUT_USEC', 3), { EXTEND_TIMEOUT_USEC: EXTENSION, STATUS: status });
  t.ok(performance.now() - begin > 4_000, 'not more often than needed');
  await systemd.finish(0);
  const messages = recorder.all.length;
  systemd.restartFailed(new GraceError('RESTART_FAILED', 'too late'));
  t.equal(recorder.all.length, messages);
});

t.test('a process that has stopped gives no sign of life any longer', async (t) => {
  const { grace, systemd, said, recorder } = await tell(t, { watchdogUsec: '40000' });
  grace.emit('ready');
  await said('WATCHDOG', 2);
  grace.emit('closed', { code: 0, cutOff: [] } as unknown as GraceEvents['closed'][0]);
  // A message that is on its way may come; after it there are more of another kind only.
  void systemd.restarting();
  await said('RELOADING');
  const signs = recorder.with('WATCHDOG').length;
  void systemd.restarting();
  await said('RELOADING', 2);
  void systemd.restarting();
  await said('RELOADING', 3);
  t.equal(recorder.with('WATCHDOG').length, signs);
});
