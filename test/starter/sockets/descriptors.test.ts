import t from 'tap';
import { fdName, layOut } from '../../../starter/sockets/descriptors.js';

const socket = (label: string, target?: number) => ({ label, name: fdName(label), target });

t.test('from 3 on, in order', async (t) => {
  const { variables, free, extra } = layOut([socket('80'), socket('/run/a.sock')]);
  t.same(variables, { SERVER_STARTER_PORT: '80=3;/run/a.sock=4', LISTEN_FDS: '2', LISTEN_FDNAMES: '80:/run/a.sock' });
  t.equal(free, 5);
  t.same(extra.map((it) => it?.label), ['80', '/run/a.sock']);
});

t.test('no socket', async (t) => {
  t.same(layOut([]).variables, { SERVER_STARTER_PORT: '' });
});

t.test('a target within the range of LISTEN_FDS lies there, one behind it is there a second time', async (t) => {
  const { variables, extra, free } = layOut([socket('80'), socket('81', 3), socket('82', 7)]);
  t.same(variables, { SERVER_STARTER_PORT: '80=4;81=3;82=7', LISTEN_FDS: '3', LISTEN_FDNAMES: '81:80:82' });
  t.same(extra.map((it) => it?.label), ['81', '80', '82', undefined, '82']);
  t.equal(free, 8);
});

t.test('descriptor 0 comes from one that dash can duplicate', async (t) => {
  const many = Array.from({ length: 12 }, (_, index) => socket(String(index + 80)));
  const { variables, stdin } = layOut([...many, socket('99', 0)]);
  t.equal(stdin, 3);
  t.match(variables['SERVER_STARTER_PORT'], /^80=4;.*;99=0$/);
});

t.test('two for one descriptor', async (t) => {
  t.throws(() => layOut([socket('80', 5), socket('81', 5)]), { code: 'OPTION_INVALID', message: '80 and 81 both ask for descriptor 5' });
});

t.test('names', async (t) => {
  t.equal(fdName('[::1]:80'), '[__1]_80');
  t.equal(fdName('/run/ä b'), '/run/__b');
});
