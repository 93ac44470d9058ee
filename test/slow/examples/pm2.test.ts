import t from 'tap';
import { pm2Command } from '../../../bench/packages/pm2.js';
import { Namespace, copyExample, skipUnlessNamespace } from '../../support/examples/namespace.js';
import { skipUnless } from '../../support/skip.js';
import { waitUntil } from '../../support/wait.js';
import { Clients } from '../../support/examples/load.js';

t.setTimeout(120_000);
/** Process 1 has to wait for processes that lost their parent: PM2 takes a zombie for a process that still runs. */
const INIT = ['sh', '-c', 'while :; do sleep 3600 & wait $!; done'] as const;
const command = pm2Command();
const skip = skipUnlessNamespace() || skipUnless(() => command !== undefined, 'pm2 cannot be installed here');

t.test('examples/pm2: SIGUSR2 replaces the server under load, PM2 watches the same process, and a stop drains', { skip }, async (t) => {
  const folder = copyExample(t, 'pm2');
  const namespace = await Namespace.start(t, folder, ...INIT);
  const pm2 = (...args: readonly string[]): Promise<string> => namespace.run(folder, process.execPath, command!, ...args);
  await pm2('start', 'ecosystem.config.cjs');
  const pid = (await pm2('pid', 'web')).trim();
  const ask = async (): Promise<string> => (await namespace.get('http://127.0.0.1:8080/')).body;
  await waitUntil('an answer', async () => (await ask()) === `hello from process ${pid}\n`);
  const clients = new Clients(namespace, folder, 'http://127.0.0.1:8080/');
  await clients.answeredBy(1);
  for (let restart = 1; restart <= 2; restart += 1) {
    await pm2('sendSignal', 'SIGUSR2', 'web');
    await clients.answeredBy(restart + 1);
  }
  t.equal((await pm2('pid', 'web')).trim(), pid, 'PM2 watches the same process');
  const { answered, lost, pids } = await clients.stop();
  t.strictSame(lost, [], 'no request is lost');
  t.equal(pids.length, 3);
  t.comment(`${answered} requests answered`);
  await pm2('stop', 'web');
  t.equal(await ask(), '', 'nobody serves any more');
});
