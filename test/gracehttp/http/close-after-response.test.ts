import http, { type ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { closeAfterResponse } from '../../../gracehttp/http/close-after-response.js';
import { portOf } from '../../support/address.js';
import { type RawAnswer, rawClient } from '../../support/http/raw-client.js';
import { listening } from '../../support/sockets.js';

/** The response of a handler to one request. */
async function answerOf(
  t: Test,
  handler: (response: ServerResponse) => void,
  head = 'GET / HTTP/1.1\r\nHost: h',
): Promise<RawAnswer & { ended: boolean }> {
  const server = await listening(
    t,
    http.createServer((_, response) => handler(response)),
    { port: 0, host: '127.0.0.1' },
  );
  const client = await rawClient(t, portOf(server));
  client.send(`${head}\r\n\r\n`);
  const [answer] = await client.answered(1);
  await new Promise((done) => setTimeout(done, 20));
  return { ...answer!, ended: client.ended !== undefined };
}

function flushed(response: ServerResponse): ServerResponse {
  response.flushHeaders();
  return response;
}

function without(response: ServerResponse, header: string): ServerResponse {
  response.removeHeader(header);
  return response;
}

const ways: readonly (readonly [what: string, write: (response: ServerResponse) => unknown])[] = [
  ['an implicit head', (r) => r.end('x')],
  ['an implicit head by write()', (r) => r.write('x') && r.end()],
  ['flushHeaders()', (r) => flushed(r).end('x')],
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
  [
    'writeHead() with pairs',
    (r) =>
      r
        .writeHead(200, [
          ['X-A', 'a'],
          ['Connection', 'keep-alive'],
        ] as never)
        .end('x'),
  ],
  ['removed header', (r) => without(r, 'Connection').end('x')],
  ['removed header and writeHead() with an object', (r) => without(r, 'connection').writeHead(200, { 'X-A': 'a' }).end('x')],
  ['removed header and writeHead() with a list', (r) => without(r, 'connection').writeHead(200, ['X-A', 'a']).end('x')],
  ['its own Connection: close', (r) => r.writeHead(200, { Connection: 'close' }).end('x')],
];

t.test('every way to write a head sends Connection: close', async (t) => {
  for (const [what, write] of ways) {
    const { headers, ended, body } = await answerOf(t, (response) => {
      closeAfterResponse(response, () => true);
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
    [
      ['X-A', 'connection'],
      ['X-B', '1'],
      ['Connection', 'keep-alive'],
      ['X-B', '2'],
    ],
  ];
  for (const head of heads) {
    const { headers } = await answerOf(t, (response) => {
      closeAfterResponse(response, () => true);
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
    (r) =>
      r
        .writeHead(426, [
          ['Connection', 'Upgrade'],
          ['Content-Length', '0'],
        ] as never)
        .end(),
  ];
  for (const write of writes) {
    const { headers, status } = await answerOf(t, (response) => {
      closeAfterResponse(response, () => true);
      write(response);
    });
    t.equal(status, 426);
    t.match(headers['connection'], /upgrade/i);
  }
});

t.test('whether it is the last one is asked when its head is written', async (t) => {
  for (const [what, write] of ways.filter(([what]) => !what.includes('close') && !what.includes('removed'))) {
    for (const last of [true, false]) {
      let asked = 0;
      let isLast = !last;
      const { headers, ended } = await answerOf(t, (response) => {
        closeAfterResponse(response, () => (asked += 1) > 0 && isLast);
        isLast = last;
        write(response);
      });
      t.match(headers['connection'], last ? /^close$/ : /keep-alive/i, what);
      t.equal(ended, last);
      t.equal(asked, 1);
    }
  }
});

t.test('functions that the program has put over writeHead stay', async (t) => {
  for (const last of [true, false]) {
    const { headers } = await answerOf(t, (response) => {
      const wrap = (name: string): void => {
        const { writeHead } = response;
        response.writeHead = function wrapped(this: ServerResponse, ...args: unknown[]) {
          this.setHeader(name, 'set');
          return Reflect.apply(writeHead, this, args) as ServerResponse;
        } as ServerResponse['writeHead'];
      };
      wrap('X-Before');
      closeAfterResponse(response, () => last);
      wrap('X-Session');
      closeAfterResponse(response, () => last);
      wrap('X-Compression');
      response.end('x');
    });
    t.match(headers, { 'x-before': 'set', 'x-session': 'set', 'x-compression': 'set', connection: last ? 'close' : 'keep-alive' });
  }
});

t.test('a response that does not need a change', async (t) => {
  const sent = await answerOf(t, (response) => {
    response.writeHead(200, { 'Content-Length': 1 }).write('x');
    closeAfterResponse(response, () => true);
    response.end();
  });
  t.equal(sent.headers['connection'], 'keep-alive', 'its head is written');
  for (const head of ['GET / HTTP/1.0', 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close']) {
    const { headers } = await answerOf(
      t,
      (response) => {
        closeAfterResponse(response, () => true);
        response.end('x');
      },
      head,
    );
    t.equal(headers['connection'], 'close', 'the client asked for close');
  }
});
