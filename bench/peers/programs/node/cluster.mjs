import cluster from 'node:cluster';
import { once } from 'node:events';
import http from 'node:http';
import { handler } from './handler.mjs';

const WORKERS = 2;
/** As in the example for `worker.disconnect()` in the documentation of Node.js. */
const KILL_AFTER_MS = 2_000;

/** Starts a new worker for each old one, one after the other. */
async function roll() {
  for (const old of Object.values(cluster.workers)) {
    await once(cluster.fork(), 'listening');
    const exited = once(old, 'exit');
    old.send('shutdown');
    old.disconnect();
    const timer = setTimeout(() => old.kill(), KILL_AFTER_MS);
    await exited;
    clearTimeout(timer);
  }
}

if (cluster.isPrimary) {
  for (let count = 0; count < WORKERS; count += 1) cluster.fork();
  process.on('SIGUSR2', roll);
} else {
  const server = http.createServer(handler).listen(Number(process.env.PORT), '127.0.0.1');
  process.on('message', (message) => message === 'shutdown' && server.close());
}
