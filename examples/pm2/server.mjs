import { App } from 'ts-grace/gracehttp';

// ecosystem.config.cjs waits longer than this before it kills.
const app = new App({ drainTimeout: 30_000 });
await app.serve({
  handler: (_request, response) => response.end(`hello from process ${process.pid}\n`),
  listen: ':8080',
});
