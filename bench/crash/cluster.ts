import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';

/** Keeps as many workers running as the argument says, as the documents of Node.js show it. */
cluster.setupPrimary({ exec: fileURLToPath(new URL('worker.js', import.meta.url)) });
for (let number = 0; number < Number(process.argv[2]); number += 1) cluster.fork();
cluster.on('exit', () => cluster.fork());
process.on('SIGTERM', () => {
  cluster.removeAllListeners('exit');
  for (const worker of Object.values(cluster.workers ?? {})) worker?.kill();
  process.exit();
});
