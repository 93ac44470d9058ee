import http from 'node:http';
import t from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { get, targetOf } from '../../support/http/client.js';
import { takeFreeDescriptors } from '../../support/proc.js';
import { start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessRuns } from '../../support/skip.js';
import { ask, plain, startStarter } from '../../support/starter.js';
import { NotifyRecorder } from '../../support/systemd/notify-recorder.js';

const skip = skipUnlessRuns('prlimit', '--version');
const FAILED_RESTARTS = 3;

for (const kind of ['as a child', 'through an intermediate, under systemd'] as const) {
  t.test(`a restart with no free descriptor (EMFILE) fails, and the process serves on: ${kind}`, { skip }, async (t) => {
    const folder = scratch(t);
    const env = kind === 'as a child' ? {} : new NotifyRecorder(scratch(t)).env;
    const program = start(t, writeRelease(folder, goodRelease('first', '127.0.0.1:0')), { env });
    const [address] = (await program.announced('ready')).addresses as string[];
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    t.equal((await get(targetOf(address!), '/', { agent })).body, 'first');

    const giveBack = takeFreeDescriptors(program.pid);
    for (let nth = 1; nth <= FAILED_RESTARTS; nth += 1) {
      process.kill(program.pid, 'SIGUSR2');
      t.match(await program.announced('restart-failed', nth), { code: 'RESTART_FAILED', message: /EMFILE/ });
      t.equal((await get(targetOf(address!), '/', { agent })).body, 'first', 'the open connection is served');
    }
    giveBack();
    t.equal((await get(targetOf(address!))).body, 'first', 'new connections are served');
    agent.destroy();
    process.kill(program.pid, 'SIGUSR2');
    t.equal((await program.announced('ready', 2)).generation, 2, 'and the next restart works');
    t.match(await program.exited, { code: 0 });
  });
}

t.test('start_server with no free descriptor goes on, and replaces its worker later', { skip }, async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.1', '--', ...plain()]);
  const first = await starter.program.announced('ready');
  const giveBack = takeFreeDescriptors(starter.pid);
  starter.signal('SIGHUP');
  await starter.said(/failed to (start|exec)|EMFILE/);
  t.ok(isRunning(starter.pid));
  t.same(await ask(portOf(first)), [first.pid, 1], 'the old worker serves');
  giveBack();
  await starter.program.announced('ready', 2);
  await starter.said(`old worker ${first.pid} died`);
  t.match(await starter.stop(), { code: 0 });
});
