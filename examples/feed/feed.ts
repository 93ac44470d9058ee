/**
 * Server-sent events: each client gets a number every few milliseconds, without a
 * gap, also while the server restarts.
 *
 *     node feed.js 127.0.0.1:8080     and then     curl -N 127.0.0.1:8080
 */
import { createServer } from 'node:http';
import { type Writable } from 'node:stream';
import { App } from 'ts-grace/gracehttp';

const EVERY_MS = 20;

const app = new App({ follow: false });
app.adopt<Writable, { next: number; last: number }>('feed', (response, { next, last }) => feed(response, next, last));
await app.serve({
  server: createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    feed(response, 1, Number(searchParams.get('last') ?? Infinity));
  }),
  listen: process.argv[2] ?? '127.0.0.1:0',
});
console.log(JSON.stringify({ event: 'ready', pid: process.pid, addresses: app.addresses }));

/** Sends the numbers from `next` to `last`, or until the client leaves. */
function feed(response: Writable, next: number, last: number): void {
  const send = (): void => {
    if (next > last) return finish();
    response.write(`id: ${next}\ndata: ${process.pid}\n\n`);
    next += 1;
  };
  const timer = setInterval(send, EVERY_MS);
  const finish = (): void => {
    clearInterval(timer);
    response.end();
  };
  response.on('close', () => clearInterval(timer)).on('error', () => clearInterval(timer));
  app.keep(response, 'feed', () => {
    clearInterval(timer);
    // JSON has no Infinity.
    return { next, last: Number.isFinite(last) ? last : Number.MAX_SAFE_INTEGER };
  });
}
