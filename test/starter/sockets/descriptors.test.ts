import t from 'tap';
import { assignDescriptors, fdName } from '../../../starter/sockets/descriptors.js';

const socket = (label: string, target?: number) => ({ label, name: fdName(label), target });

t.test('from 3 on, in order', async (t) => {
  const { variables, listenVariables, nextFree, extra } = assignDescriptors([socket('80'), socket('/run/a.sock')]);
  t.same(variables, { SERVER_STARTER_PORT: '80=3;/run/a.sock=4' });
  t.same(listenVariables, { LISTEN_FDS: '2', LISTEN_FDNAMES: '80:/run/a.sock' });
  t.equal(nextFree, 5);
  t.same(
    extra.map((it) => it?.label),
    ['80', '/run/a.sock'],
  );
});

t.test('no socket', async (t) => {
  t.match(assignDescriptors([]), { variables: { SERVER_STARTER_PORT: '' }, listenVariables: {} });
});

t.test('a target in the range of LISTEN_FDS is used, a target after it is a second descriptor', async (t) => {
  const { variables, listenVariables, extra, nextFree } = assignDescriptors([socket('80'), socket('81', 3), socket('82', 7)]);
  t.same(variables, { SERVER_STARTER_PORT: '80=4;81=3;82=7' });
  t.same(listenVariables, { LISTEN_FDS: '3', LISTEN_FDNAMES: '81:80:82' });
  t.same(
    extra.map((it) => it?.label),
    ['81', '80', '82', undefined, '82'],
  );
  t.equal(nextFree, 8);
});

t.test('descriptor 0 is duplicated from one that dash can duplicate', async (t) => {
  const many = Array.from({ length: 12 }, (_, index) => socket(String(index + 80)));
  const { variables, stdin } = assignDescriptors([...many, socket('99', 0)]);
  t.equal(stdin, 3);
  t.match(variables['SERVER_STARTER_PORT'], /^80=4;.*;99=0$/);
});

t.test('two sockets that ask for the same descriptor', async (t) => {
  t.throws(() => assignDescriptors([socket('80', 5), socket('81', 5)]), {
    code: 'OPTION_INVALID',
    message: '80 and 81 both ask for descriptor 5',
  });
});

t.test('names for LISTEN_FDNAMES', async (t) => {
  t.equal(fdName('[::1]:80'), '[__1]_80');
  t.equal(fdName('/run/ä b'), '/run/__b');
});
