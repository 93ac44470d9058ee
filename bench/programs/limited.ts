import { App } from '../../gracehttp/index.js';
import { makeServer, tell, tellOnSignals } from './common.js';

/** The same server with a limit; with `WAITING=1` all connections wait until SIGWINCH. */
const MAX_CONNECTIONS = 100;
const MAX_QUEUED = 100_000;

const app = new App({ idleTimeout: 500 });
process.once('SIGWINCH', () => app.servers[0]?.limit(MAX_CONNECTIONS));
tellOnSignals();
await app.serve({
  server: makeServer(),
  listen: '127.0.0.1:0',
  backlog: 4_096,
  maxConnections: MAX_CONNECTIONS,
  maxQueued: MAX_QUEUED,
});
if (process.env['WAITING'] !== undefined) app.servers[0]?.limit(0);
tell({ port: Number(app.addresses[0]?.split(':').at(-1)) });
