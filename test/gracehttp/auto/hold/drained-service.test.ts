import net from 'node:net';
import t from 'tap';
import { tellingWhenDrained } from '../../../../gracehttp/auto/hold/drained-service.js';
import { PlainService } from '../../../../lib/socket/service.js';
import { connected, listening } from '../../../support/sockets.js';

t.test('after a drain was taken back, its end is not that of the next one', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { service, drained } = tellingWhenDrained(new PlainService(server));
  service.begin();
  await service.finished();
  await drained();
  service.resume();
  const { accepted } = await connected(t, server);
  service.begin();
  let ended = false;
  const end = drained().then(() => {
    ended = true;
  });
  const finished = service.finished();
  await new Promise((done) => setImmediate(done));
  t.equal(ended, false, 'a connection is open');
  accepted.destroy();
  await finished;
  await end;
});
