import t from 'tap';
import { serverPorts } from '../../starter/server-ports.js';

t.test('descriptors by the text of --port and --path', async (t) => {
  t.teardown(() => delete process.env['SERVER_STARTER_PORT']);
  t.throws(() => serverPorts(), { code: 'SOCKET_NOT_PASSED' });
  process.env['SERVER_STARTER_PORT'] = '127.0.0.1:80=3;[::1]:81=4;/run/a=b.sock=5';
  t.same(serverPorts(), { '127.0.0.1:80': 3, '[::1]:81': 4, '/run/a=b.sock': 5 });
  process.env['SERVER_STARTER_PORT'] = '';
  t.same(serverPorts(), {});
  process.env['SERVER_STARTER_PORT'] = '80';
  t.throws(() => serverPorts(), { code: 'INHERITANCE_INVALID', subject: 'SERVER_STARTER_PORT', value: '80' });
});
