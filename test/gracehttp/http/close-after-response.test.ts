import http, { type ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { closeAfterResponse } from '../../../gracehttp/http/close-after-response.js';
import { portOf } from '../../support/address.js';
import { type RawAnswer, rawClient } from '../../support/http/raw-client.js';
import { listening } from '../../support/sockets.js';

/** The response of a handler to one request. */
async function answerOf(t: Test, handler: (response: ServerResponse) => void, head = 'GET / HTTP/1.1\r\nHost: h'): Promise<RawAnswer & { ended: boolean }> {
  const server = await listening(t, http.createServer((_, response) => handler(response)), { port: 0, host: '127.0.0.1' });
  const client = await rawClient(t, portOf(server));
  client.send(`${head}\r\n\r\n`);
  const [answer] = await client.answered(1);
  await new Promise((done) => setTimeout(done, 20));
  return { ...answer!, ended: client.ended !== undefined };
}

const ways: readonly (readonly [what: string, write: (response: ServerResponse) => unknown])[] = [
  ['an implicit head', (r) => r.end('x')],
  ['an implicit head by write()', (r) => r.write('x') && r.end()],
  ['flushHeaders()', (r) => (r.flushHeaders(), r.end('x'))],
  ['writeHead(status)', (r) => r.writeHead(200).end('x')],
  ['writeHead(status, message)', (r) => r.writeHead(200, 'Fine').end('x')],
  ['setHeader()', (r) => r.setHeader('Connection', 'keep-alive').end('x')],
  ['setHeader() in lower case', (r) => r.setHeader('connection', 'Keep-Alive').end('x')],
  ['setHeader() and writeHead()', (r) => r.setHeader('Connection', 'keep-alive').writeHead(200, { 'X-A': 'a' }).end('x')],
  ['appendHeader()', (r) => r.appendHeader('Connection', 'keep-alive').end('x')],
  ['writeHead() with an object', (r) => r.writeHead(200, { 'X-A': 'a', Connection: 'keep-alive' }).end('x')],
  ['writeHead() with an object in lower case', (r) => r.writeHead(200, { connection: 'keep-alive', 'X-A': 'a' }).end('x')],
  ['writeHead() with a message and an object', (r) => r.writeHead(200, 'Fine', { Connection: 'keep-alive' }).end('x')],
  ['writeHead() with a list', (r) => r.writeHead(200, ['X-A', 'a', 'Connection', 'keep-alive', 'X-B', 'b']).end('x')],
  ['writeHead() with a message and a list', (r) => r.writeHead(200, 'Fine', ['CONNECTION', 'keep-alive']).end('x')],
  ['writeHead() with pairs', (r) => r.writeHead(200, [['X-A', 'a'], ['Connection', 'keep-alive']] as never).end('x')],
  ['its own Connection: close', (r) => r.writeHead(200, { Connection: 'close' }).end('x')],
];

t.test('every way to write a head sends Connection: close', async (t) => {
  for (const [what, write] of ways) {
    const { headers, ended, body } = await answerOf(t, (response) => {
      closeAfterResponse(response);
      write(response);
    });
    t.strictSame({ connection: headers['connection'], ended, body }, { connection: 'close', ended: true, body: 'x' }, what);
    t.notOk('keep-alive' in headers, 'no Keep-Alive header');
  }
});

t.test('other headers are not changed', async (t) => {
  const heads: readonly unknown[] = [
    { 'X-A': 'connection', 'X-B': ['1', '2'], Connection: 'keep-alive' },
    ['X-A', 'connection', 'X-B', '1', 'Connection', 'keep-alive', 'X-B', '2'],
    [['X-A', 'connection'], ['X-B', '1'], ['Connection', 'keep-alive'], ['X-B', '2']],
  ];
  for (const head of heads) {
    const { headers } = await answerOf(t, (response) => {
      closeAfterResponse(response);
      response.writeHead(200, head as never).end('x');
    });
    t.match(headers, { 'x-a': 'connection', 'x-b': '2', connection: 'close' });
  }
});

t.test('Connection: Upgrade is kept', async (t) => {
  const writes: readonly ((response: ServerResponse) => unknown)[] = [
    (r) => r.writeHead(426, { Connection: 'Upgrade', Upgrade: 'h2c', 'Content-Length': 0 }).end(),
    (r) => r.setHeader('Connection', 'upgrade').writeHead(426, { 'Content-Length': 0 }).end(),
    (r) => r.writeHead(426, ['Connection', 'keep-alive, Upgrade', 'Content-Length', '0']).end(),
    (r) => r.writeHead(426, [['Connection', 'Upgrade'], ['Content-Length', '0']] as never).end(),
  ];
  for (const write of writes) {
    const { headers, status } = await answerOf(t, (response) => {
      closeAfterResponse(response);
      write(response);
    });
    t.equal(status, 426);
    t.match(headers['connection'], /upgrade/i);
  }
});

t.test('undone in time, the program decides', async (t) => {
  for (const [what, write] of ways.filter(([what]) => !what.includes('close'))) {
    const { headers, ended } = await answerOf(t, (response) => {
      const undo = closeAfterResponse(response);
      undo!();
      write(response);
    });
    t.match(headers['connection'], /keep-alive/i, what);
    t.notOk(ended);
  }
});

t.test('undone after the head is written, it stays', async (t) => {
  const { headers, ended } = await answerOf(t, (response) => {
    const undo = closeAfterResponse(response);
    response.writeHead(200, { 'Content-Length': 1 });
    undo!();
    response.end('x');
  });
  t.strictSame({ connection: headers['connection'], ended }, { connection: 'close', ended: true });
});

t.test('a response that does not need a change', async (t) => {
  let found: unknown = 'nothing';
  const sent = await answerOf(t, (response) => {
    response.writeHead(200, { 'Content-Length': 1 }).write('x');
    found = closeAfterResponse(response);
    response.end();
  });
  t.equal(found, undefined, 'its head is written');
  t.equal(sent.headers['connection'], 'keep-alive');
  for (const head of ['GET / HTTP/1.0', 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close']) {
    found = 'nothing';
    const { headers } = await answerOf(t, (response) => {
      found = closeAfterResponse(response);
      response.end('x');
    }, head);
    t.equal(found, undefined, 'the client asked for close');
    t.equal(headers['connection'], 'close');
  }
});
