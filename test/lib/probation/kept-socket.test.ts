import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { parseAddress } from '../../../lib/address/address.js';
import { KeptSocket } from '../../../lib/probation/kept-socket.js';
import { bindPath } from '../../../lib/socket/bind.js';
import { GraceListener } from '../../../lib/socket/listener.js';
import { scratch } from '../../support/scratch.js';
import { descriptorOf, listening } from '../../support/sockets.js';

t.test('a unix socket from another network namespace, whose path is not known, accepts again', async (t) => {
  const folder = scratch(t);
  const server = await listening(t, net.createServer(), { path: join(folder, 'passed.sock') });
  const listener = new GraceListener(
    {
      kind: 'listening',
      inherited: true,
      socket: {
        ...{ fd: descriptorOf(server), origin: 'systemd', name: undefined },
        ...{ asked: undefined, bound: undefined, backlog: undefined, file: undefined },
      },
      accept: () => undefined,
    },
    parseAddress('systemd:app'),
    {},
  );
  await listener.serve(server);
  const path = join(folder, 'kept.sock');
  const { target } = bindPath(path);
  const kept = new KeptSocket(listener, target as never);
  await listener.stopAccepting(false);
  t.notOk(listener.listening);
  await kept.resume();
  t.ok(listener.listening);
  const client = net.connect(path);
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  accepted.destroy();
  await once(client.resume(), 'close');
});
