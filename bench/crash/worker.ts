import http from 'node:http';

/** So that requests are in flight when the worker is killed. */
const TAKES_MS = 20;

/** The same server below each system: on the descriptor from start_server, or on the port in PORT. */
const server = http.createServer((_, response) => {
  setTimeout(() => response.setHeader('x-pid', process.pid).end('hello'), TAKES_MS);
});
const [, fd] = /=(\d+)/.exec(process.env['SERVER_STARTER_PORT'] ?? '') ?? [];
if (fd === undefined) server.listen(Number(process.env['PORT']), '127.0.0.1');
else server.listen({ fd: Number(fd) });
process.on('SIGTERM', () => process.exit());
