import http from 'node:http';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { get } from '../../support/http/client.js';

t.test('keep-alive connections make room for waiting ones', async (t) => {
  const app = await serveHere(
    t,
    {},
    {
      server: http.createServer((_, response) => response.end('served')),
      listen: '127.0.0.1:0',
      maxConnections: 2,
    },
  );
  const target = { port: portOf(app) };
  const agent = (): http.Agent => new http.Agent({ keepAlive: true, maxSockets: 1 });
  const busy = [agent(), agent()];
  t.teardown(() => busy.forEach((each) => each.destroy()));
  for (const each of busy) await get(target, '/', { agent: each });
  t.match(app.servers[0]!.traffic, { open: 2, idle: 2 });

  t.equal((await get(target)).body, 'served', 'an idle connection is closed for it');

  let stop = false;
  const pools = busy.map(async (each) => {
    let closed = 0;
    while (!stop) {
      const { headers } = await get(target, '/', { agent: each });
      if (headers.connection === 'close') closed += 1;
    }
    return closed;
  });
  const others = await Promise.all(Array.from({ length: 50 }, () => get(target)));
  t.equal(others.length, 50, 'served while two connections are always busy');
  stop = true;
  const closed = await Promise.all(pools);
  t.ok(
    closed.every((count) => count > 0),
    `the busy ones are closed after a response, ${closed.join(' and ')} times`,
  );
});
