import t from 'tap';
import { administered, json } from '../../support/http/administered.js';
import { type Answer, get, send } from '../../support/http/client.js';

t.test('POST /limit changes a limit or asks for it', async (t) => {
  const { admin, app } = await administered(t, { control: true });
  const post = (path: string): Promise<Answer> => send(admin, { method: 'POST', path });
  t.same(json(await post('/limit?server=public&limit=10')), { server: 'public', limit: 10, free: 10 });
  t.equal(app.servers[0]!.limit(), 10);
  t.same(json(await post('/limit?server=public')), { server: 'public', limit: 10, free: 10 }, 'without limit it only asks');
  t.same(json(await post('/limit?server=public&limit=none')), { server: 'public', limit: null, free: null });
  for (const limit of ['', '-1', '1.5', 'NaN', 'Infinity', '1e3']) {
    t.equal((await post(`/limit?server=public&limit=${limit}`)).status, 400, `limit=${limit}`);
  }
  t.equal((await post('/limit?server=other&limit=1')).status, 404);
  t.match(await get(admin, '/limit?server=public&limit=1'), { status: 405, headers: { allow: 'POST' } });
});

t.test('POST /limit?limit=0 does not lock out who asks for it', async (t) => {
  const { admin, app } = await administered(t, { control: true });
  const post = (path: string): Promise<Answer> => send(admin, { method: 'POST', path });
  for (const limit of ['0', '00']) {
    const answer = await post(`/limit?server=admin&limit=${limit}`);
    t.equal(answer.status, 409);
    t.match(json(answer), { error: /this request came through the same server/ });
  }
  t.equal(app.servers[1]!.limit(), Infinity, 'nothing is changed');
  t.same(json(await post('/limit?server=public&limit=0')), { server: 'public', limit: 0, free: 0 }, 'another server may get it');
  t.same(json(await post('/limit?server=public&limit=3')), { server: 'public', limit: 3, free: 3 });
});
