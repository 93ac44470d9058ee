import t from 'tap';
import { administered, json } from '../../support/http/administered.js';
import { get } from '../../support/http/client.js';
import { waitUntil } from '../../support/wait.js';

t.test('the status of the process and its servers', async (t) => {
  const { admin, target } = await administered(t);
  const slow = [get(target, '/?ms=500'), get(target, '/?ms=500')];
  await waitUntil('requests', async () => {
    const servers = json(await get(admin, '/status'))['servers'] as { inFlight: number }[];
    return servers[0]!.inFlight === 2;
  });
  const found = json(await get(admin, '/status'));
  t.match(found, {
    pid: process.pid,
    generation: 1,
    state: 'serving',
    uptime: Number,
    restartsFailed: 0,
    servers: [
      { name: 'public', address: /^127\.0\.0\.1:\d+$/, origin: 'bound', open: 2, idle: 0, queued: 0, limit: 3, free: 1 },
      { name: 'admin', limit: null, free: null },
    ],
  });
  await Promise.all(slow);
});
