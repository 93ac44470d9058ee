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

t.test('without a token, control and status answer only a Host of this machine, and nothing that came through a proxy', async (t) => {
  const { admin } = await administered(t, { control: true });
  const STATUS = { method: 'GET', path: '/status' };
  const hosts: readonly (readonly [host: string, status: number])[] = [
    ['localhost', 200],
    ['LOCALHOST:80', 200],
    ['127.0.0.1:9000', 200],
    ['127.1.2.3', 200],
    ['[::1]:9000', 200],
    ['example.com', 403],
    ['localhost.example.com', 403],
    ['127.0.0.1.example.com', 403],
    ['192.168.1.1:9000', 403],
  ];
  for (const request of [LIMIT, STATUS]) {
    for (const [host, status] of hosts) {
      t.equal((await send(admin, { ...request, headers: { host } })).status, status, `${request.path}, Host: ${host}`);
    }
    for (const name of ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP', 'Via']) {
      const answer = await send(admin, { ...request, headers: { [name]: 'x' } });
      t.equal(answer.status, 403, `${request.path}, ${name}`);
      t.match(answer.body, `the header ${name.toLowerCase()}`);
    }
  }
  t.equal(
    (await send(admin, { path: '/readyz', headers: { host: 'example.com', via: '1.1 proxy' } })).status,
    200,
    'readiness is for everybody',
  );
});

t.test('without a token, a unix socket accepts every Host, but no proxy', async (t) => {
  const { admin } = await administered(t, { control: true }, `unix:${join(scratch(t), 'admin.sock')}`);
  t.equal((await send(admin, { ...LIMIT, headers: { host: 'example.com' } })).status, 200);
  t.equal((await send(admin, { ...LIMIT, headers: { 'x-forwarded-for': '10.0.0.1' } })).status, 403);
});

t.test('on a wildcard address, status needs a token', async (t) => {
  const { admin, app } = await administered(t, {}, ':0');
  t.equal((await send(admin, { path: '/status' })).status, 403);
  await app.stop();
  const withToken = await administered(t, { token: 'secret' }, ':0');
  t.equal((await send(withToken.admin, { path: '/status' })).status, 401);
  t.equal((await send(withToken.admin, { path: '/status', headers: { authorization: 'Bearer secret', via: '1.1 proxy' } })).status, 200);
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
