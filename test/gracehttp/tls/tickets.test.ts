import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import t from 'tap';
import { exportTickets, hasOwnTickets, importTickets } from '../../../gracehttp/tls/tickets.js';

const KEYS = Buffer.alloc(48, 7);

t.test('servers whose ticket keys Node.js made', async (t) => {
  t.notOk(hasOwnTickets(http.createServer()), 'no TLS');
  t.ok(hasOwnTickets(https.createServer()), 'https');
  t.ok(hasOwnTickets(tls.createServer()), 'tls');
  t.notOk(hasOwnTickets(https.createServer({ ticketKeys: KEYS })), 'not keys that the program set');
});

t.test('keys are moved from one server to another', async (t) => {
  const [before, after] = [https.createServer(), https.createServer()];
  t.notSame(before.getTicketKeys(), after.getTicketKeys());
  importTickets(after, JSON.parse(JSON.stringify(exportTickets(before))));
  t.same(after.getTicketKeys(), before.getTicketKeys());
});

t.test('invalid keys are ignored', async (t) => {
  const server = https.createServer();
  const own = server.getTicketKeys();
  for (const value of [undefined, null, '', 'x', 5, {}, KEYS.subarray(1).toString('base64'), Buffer.alloc(49).toString('base64')]) {
    importTickets(server, value);
    t.same(server.getTicketKeys(), own, JSON.stringify(value));
  }
});
