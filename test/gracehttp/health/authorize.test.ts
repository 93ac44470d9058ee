import { join } from 'node:path';
import t from 'tap';
import { administered } from '../../support/http/administered.js';
import { send } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';

const LIMIT = { method: 'POST', path: '/limit?server=public' };
const RESTART = { method: 'POST', path: '/restart' };

t.test('control is off by default', async (t) => {
  const { admin } = await administered(t);
  t.equal((await send(admin, RESTART)).status, 403);
});

t.test('without a token, control works only locally and not from web pages', async (t) => {
  const loopback = await administered(t, { control: true });
  t.equal((await send(loopback.admin, LIMIT)).status, 200, 'a loopback address');
  t.equal((await send(loopback.admin, { ...LIMIT, headers: { origin: 'http://example.com' } })).status, 403, 'a web page');
  await loopback.app.stop();

  const socket = await administered(t, { control: true }, `unix:${join(scratch(t), 'admin.sock')}`);
  t.equal((await send(socket.admin, LIMIT)).status, 200, 'a unix socket');
  await socket.app.stop();

  const open = await administered(t, { control: true }, ':0');
  t.equal((await send(open.admin, RESTART)).status, 403, 'a wildcard address');
});

t.test('with a token, control works everywhere for requests that have it', async (t) => {
  const { admin } = await administered(t, { control: true, token: 'secret' }, ':0');
  const tokens: [string | undefined, number][] = [
    [undefined, 401],
    ['Bearer wrong', 401],
    ['Bearer secret2', 401],
    ['secret', 401],
    ['Bearer secret', 200],
  ];
  for (const [authorization, status] of tokens) {
    const headers = authorization === undefined ? {} : { authorization };
    t.equal((await send(admin, { ...LIMIT, headers })).status, status, `${authorization}`);
  }
});
