import net from 'node:net';
import t from 'tap';
import { withGoodbye } from '../../../gracehttp/entry/goodbye.js';
import { PlainService } from '../../../lib/socket/service.js';
import { makeApp } from '../../support/app.js';
import { recordReports } from '../../support/reports.js';

t.test('the drain waits for onDrain', async (t) => {
  let finish = (): void => undefined;
  const app = makeApp(t);
  const told = new Promise<string>((done) => {
    const onDrain = (_: net.Server, reason: string): Promise<void> => {
      done(`${reason} ${app.state}`);
      return new Promise((resolve) => {
        finish = resolve;
      });
    };
    void app.serve({ server: net.createServer(), listen: '127.0.0.1:0', onDrain }).then(() => app.stop());
  });
  t.equal(await told, 'stop draining');
  await new Promise((done) => setImmediate(done));
  t.equal(app.state, 'draining', 'no connection is left, but onDrain has not finished');
  finish();
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('an onDrain that fails, or never ends, is a warning, and the drain goes on', async (t) => {
  const failing = makeApp(t);
  await failing.serve({ server: net.createServer(), listen: '127.0.0.1:0', onDrain: () => Promise.reject(new Error('no clients')) });
  const reports = recordReports(t);
  await failing.stop();
  t.match(
    reports.find((line) => line.startsWith('warning')),
    /^warning: onDrain failed: Error: no clients/,
  );
  t.match(await failing.wait(), { code: 0 });

  const hanging = makeApp(t, { drainTimeout: 500 });
  await hanging.serve({ server: net.createServer(), listen: '127.0.0.1:0', onDrain: () => new Promise(() => undefined) });
  const late = recordReports(t);
  await hanging.stop();
  t.ok(late.includes('warning: onDrain did not finish before the deadline'), late.join('; '));
});

t.test('the rest of the service is passed on', async (t) => {
  const service = new PlainService(net.createServer());
  const both = withGoodbye(service, () => undefined);
  t.equal(both.connections, service.connections);
  both.begin();
  await both.finished();
  t.equal(both.cutOff(), 0);
});

t.test('onDrain has to be a function', async (t) => {
  const entry = { server: net.createServer(), listen: '127.0.0.1:0', onDrain: 'bye' as never };
  await t.rejects(makeApp(t).serve(entry), { code: 'SERVER_INVALID', subject: 'servers[0].onDrain' });
});
