import { once } from 'node:events';
import http from 'node:http';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { type App } from '../../../gracehttp/app.js';
import { moveWebSockets } from '../../../gracehttp/websocket/move-web-sockets.js';
import { MAX_STATE_BYTES, MoveKept, keepConnection } from '../../../lib/move/kept.js';
import { type Onward } from '../../../lib/move/sender.js';
import { portOf } from '../../support/address.js';
import { listening } from '../../support/sockets.js';

t.test('a client whose state is too large to move stays a client of this process', async (t) => {
  const server = await listening(t, http.createServer(), { port: 0, host: '127.0.0.1' });
  const wss = new WebSocketServer({ server, perMessageDeflate: false });
  wss.on('connection', (ws) => ws.on('message', (text) => ws.send(`echo ${String(text)}`)));
  let asked = 0;
  const state = (): string => {
    asked += 1;
    return 'x'.repeat(MAX_STATE_BYTES);
  };
  const app: Partial<App> = {
    keep: (connection, kind, leave) => keepConnection(connection as never, { kind, connection, leave, isQuiet: () => true }),
    adopt: () => undefined,
    on: () => app as App,
  };
  moveWebSockets(app as App, wss, { state, restore: () => undefined });
  const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
  t.teardown(() => client.terminate());
  await once(client, 'open');
  const onward: Partial<Onward> = { open: true, hasRoom: true, takes: () => true, onChange: () => undefined };
  const moving = new MoveKept(
    () => true,
    onward as Onward,
    () => t.fail('it has not left'),
  );
  t.teardown(() => moving.stop());
  t.equal(asked, 1);
  client.send('one');
  const [text] = (await once(client, 'message')) as [Buffer];
  t.equal(String(text), 'echo one');
  t.equal(wss.clients.size, 1, 'it gets the close code near the deadline');
});
