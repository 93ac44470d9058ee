import { App, createServer, health } from 'ts-grace/gracehttp';

const [port = '8081', adminPort = '9081'] = process.argv.slice(2);
// Longer than the two checks, one second apart, after which HAProxy sends no more requests.
const app = new App({ drainDelay: 5_000 });
await app.serve(
  { handler: (_request, response) => response.end(`${process.pid}\n`), listen: `127.0.0.1:${port}`, name: 'public' },
  createServer(`127.0.0.1:${adminPort}`, health(app)),
);
