import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { isStillThere } from '../../../gracehttp/limit/still-there.js';
import { connected, listening } from '../../support/sockets.js';

const LONG = 'x'.repeat(1024 * 1024);

t.test('finds out whether a client has left, and keeps what it has sent', async (t) => {
  const server = await listening(t, net.createServer({ pauseOnConnect: true, allowHalfOpen: true }), { port: 0, host: '127.0.0.1' });
  for (const [what, said, leave] of [
    ['silent', '', undefined],
    ['one that has spoken', 'hello', undefined],
    ['one that sends much', LONG, undefined],
    ['one that has closed', 'hello', (client: net.Socket) => client.destroySoon()],
    ['one that has reset', 'hello', (client: net.Socket) => client.resetAndDestroy()],
    ['one that has closed without a word', '', (client: net.Socket) => client.destroy()],
  ] as const) {
    const { client, accepted } = await connected(t, server);
    if (said !== '') client.write(said);
    if (leave !== undefined) {
      leave(client);
      await once(client, 'close');
    }
    t.equal(await isStillThere(accepted), leave === undefined, what);
    if (leave !== undefined) continue;
    t.ok(accepted.isPaused(), 'paused as before');
    client.end(' and more');
    t.equal(await text(accepted), `${said} and more`, 'nothing is lost');
  }
});
