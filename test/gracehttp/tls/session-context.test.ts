import http from 'node:http';
import https from 'node:https';
import t from 'tap';
import { fixSessionContext, sessionContextOf } from '../../../gracehttp/tls/session-context.js';

/** The context that a server has, as Node.js keeps it. */
const contextOf = (server: https.Server): unknown => (server as unknown as { readonly sessionIdContext: unknown }).sessionIdContext;

t.test('the context of an address is always the same, and 32 characters at most', async (t) => {
  t.equal(sessionContextOf(':443'), sessionContextOf(':443'));
  t.not(sessionContextOf(':443'), sessionContextOf(':444'));
  t.equal(sessionContextOf(`unix:/${'x'.repeat(200)}`).length, 32);
});

t.test('a context that Node.js chose is replaced, one that the program chose is kept', async (t) => {
  const server = https.createServer();
  t.not(contextOf(server), sessionContextOf(':443'));
  fixSessionContext(server, ':443');
  t.equal(contextOf(server), sessionContextOf(':443'));
  const own = https.createServer({ sessionIdContext: 'mine' });
  fixSessionContext(own, ':443');
  t.equal(contextOf(own), 'mine');
  t.doesNotThrow(() => fixSessionContext(http.createServer() as never, ':80'), 'a server without TLS');
});
