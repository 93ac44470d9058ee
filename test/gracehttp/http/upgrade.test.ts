import http from 'node:http';
import net from 'node:net';
import t from 'tap';
import { onUpgrade } from '../../../gracehttp/http/upgrade.js';
import { portOf } from '../../support/address.js';
import { rawClient } from '../../support/http/raw-client.js';
import { listening } from '../../support/sockets.js';

const tick = (): Promise<void> => new Promise((done) => process.nextTick(done));

const REQUESTS = {
  upgrade: 'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  connect: 'CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n',
};

for (const event of ['upgrade', 'connect'] as const) {
  t.test(`a server without a listener for ${event} gets none`, async (t) => {
    const server = http.createServer();
    onUpgrade(server, () => t.fail('no connection upgrades'));
    await tick();
    t.equal(server.listenerCount(event), 0);
  });

  t.test(`the handler for ${event} runs before the program's listener`, async (t) => {
    for (const early of [true, false]) {
      const server = http.createServer();
      const order: string[] = [];
      const program = (_: unknown, socket: net.Socket): void => {
        order.push('program');
        socket.end('HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n');
      };
      if (early) server.on(event, program);
      onUpgrade(server, (_, socket) => order.push(`ours ${socket instanceof net.Socket}`));
      if (!early) server.on(event, program);
      await tick();
      await listening(t, server, { port: 0, host: '127.0.0.1' });
      const client = await rawClient(t, portOf(server));
      client.send(REQUESTS[event]);
      await client.answered(1);
      t.strictSame(order, ['ours true', 'program'], early ? 'a listener that was added before' : 'a listener that was added after');
    }
  });

  t.test(`our listener for ${event} is removed with the last one of the program`, async (t) => {
    const server = http.createServer();
    onUpgrade(server, () => undefined);
    const listeners = [(): void => undefined, (): void => undefined];
    for (const listener of listeners) server.on(event, listener);
    await tick();
    t.equal(server.listenerCount(event), 3);
    server.off(event, listeners[0]!);
    await tick();
    t.equal(server.listenerCount(event), 2);
    server.off(event, listeners[1]!);
    await tick();
    t.equal(server.listenerCount(event), 0);
    server.on(event, listeners[0]!);
    await tick();
    t.equal(server.listenerCount(event), 2, 'and added again with a new one');
  });
}
