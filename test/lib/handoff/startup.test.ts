import net from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { Startup } from '../../../lib/handoff/startup.js';
import { scratch } from '../../support/scratch.js';

const UNREACHED_MS = 60_000;

t.test('a successor that takes too long is given up, with the reason', async (t) => {
  const why = await new Promise<string>((giveUp) => new Startup(20, giveUp));
  t.equal(why, 'was not ready within 20 ms');
});

t.test('after ready it has as much time again', async (t) => {
  let given = 0;
  const startup = new Startup(UNREACHED_MS, () => (given += 1));
  startup.beginAgain();
  startup.serves();
  await startup.ended;
  t.ok(startup.isOver);
  t.equal(given, 0);
});

t.test('one that closes its pipe and runs on is given up', async (t) => {
  let startup!: Startup;
  const why = await new Promise<string>((giveUp) => {
    startup = new Startup(UNREACHED_MS, giveUp);
    startup.onPipeEnd();
  });
  t.equal(why, 'closed the handoff pipe');
  // Its timer would keep this process for a minute.
  startup.fails(new Error('it was stopped'));
  await t.rejects(startup.ended, { message: 'it was stopped' });
});

t.test('what has come in time counts, also if this process was busy until after the time', async (t) => {
  const path = `${scratch(t)}/socket`;
  const server = net.createServer().listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = net.connect(path);
  const [side] = (await once(server, 'connection')) as [net.Socket];
  t.teardown(() => side.destroy());
  let given = 0;
  const startup = new Startup(50, () => (given += 1));
  side.on('data', () => startup.serves());
  client.end('serving\n');
  await once(client, 'finish');
  const end = performance.now() + 100;
  while (performance.now() < end);
  await startup.ended;
  t.equal(given, 0);
});

t.test('a failure ends it', async (t) => {
  const startup = new Startup(UNREACHED_MS, () => t.fail('given up'));
  startup.fails(new Error('exited'));
  await t.rejects(startup.ended, { message: 'exited' });
  startup.onPipeEnd();
});
