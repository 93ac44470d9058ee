import t from 'tap';
import { socketKeys } from '../../../gracehttp/entry/socket-keys.js';

t.test('each socket has a key of its own, also with the same address and name', async (t) => {
  const sockets = [
    { asked: ':0', name: undefined },
    { asked: ':0', name: 'a' },
    { asked: ':0', name: undefined },
    { asked: ':80', name: undefined },
    { asked: ':0', name: undefined },
  ];
  const keys = socketKeys(sockets);
  t.strictSame(keys, [':0 ', ':0 a', ':0  2', ':80 ', ':0  3']);
  t.strictSame(socketKeys(sockets), keys, 'the same in each generation');
});
