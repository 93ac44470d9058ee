import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { Gate } from '../../../../lib/socket/accept/gate.js';
import { listening } from '../../../support/sockets.js';
import { waitUntil } from '../../../support/wait.js';

t.test('guards are asked in their order, and one that says no takes the connection', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  let given = 0;
  server.on('connection', () => (given += 1));
  const gate = Gate.of(server);
  t.equal(Gate.of(server), gate, 'each server has one gate');
  const asked: string[] = [];
  const taken: net.Socket[] = [];
  gate.guard(() => asked.push('second') > 0);
  const remove = gate.guard((socket) => {
    asked.push('first');
    taken.push(socket);
    return false;
  }, 'in front');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  t.teardown(() => client.destroy());
  await waitUntil('the connection', () => taken.length === 1);
  t.strictSame([asked, given], [['first'], 0]);
  remove();
  gate.admit(taken[0]!);
  t.strictSame([asked, given], [['first', 'second'], 1]);
  gate.deliver(taken[0]!);
  t.strictSame([asked.length, given], [2, 2], 'deliver() does not ask');
});

t.test('an emit() that was put over it stays, and other events pass', async (t) => {
  const server = new net.Server();
  Gate.of(server);
  const { emit } = server;
  const seen: unknown[] = [];
  server.emit = function emitAndNote(this: net.Server, ...args: unknown[]): boolean {
    seen.push(args[0]);
    return Reflect.apply(emit, this, args) as boolean;
  } as typeof server.emit;
  Gate.of(server).guard(() => true)();
  const other = once(server, 'other');
  server.emit('other', 1, 2);
  t.strictSame([seen, await other], [['other'], [1, 2]]);
});

t.test('connections come unread while one part asks for it, and are read when they are delivered', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const gate = Gate.of(server);
  const [one, other] = [{}, {}];
  gate.pause(one, true);
  gate.pause(other, true);
  gate.pause(other, false);
  const waiting: net.Socket[] = [];
  const remove = gate.guard((socket) => waiting.push(socket) === 0);
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  t.teardown(() => client.destroy());
  client.write('hello');
  await waitUntil('the connection', () => waiting.length === 1);
  t.ok(waiting[0]!.isPaused());
  let pausesNext: unknown;
  server.on('connection', () => {
    pausesNext = (server as { readonly pauseOnConnect?: boolean }).pauseOnConnect;
  });
  gate.deliver(waiting[0]!);
  t.equal(pausesNext, false, 'tls.Server asks for it when it gets the connection');
  t.equal(String((await once(waiting[0]!, 'data'))[0]), 'hello');
  remove();
  const pauses = (): unknown => (server as { readonly pauseOnConnect?: boolean }).pauseOnConnect;
  t.equal(pauses(), true, 'the next one comes unread again');
  gate.pause(one, false);
  t.equal(pauses(), false);
});
