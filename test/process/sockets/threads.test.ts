import t from 'tap';
import { getBody } from '../../support/http/client.js';
import { start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';

/** Serves in the primary, and tries to serve in a worker. */
const CLUSTER = `
  import cluster from 'node:cluster';
  if (cluster.isPrimary) cluster.fork();
`;

t.test('serve() refuses to run in a cluster worker, and says why; the primary serves and restarts', async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, CLUSTER + goodRelease('primary', '127.0.0.1:0', '', '{ follow: false }')));
  const { addresses } = await program.announced('ready');
  const error = await program.announced('error');
  t.match(error, { name: 'GraceError', code: 'RUNTIME_UNSUPPORTED', subject: 'cluster.isWorker' });
  t.not(error.pid, program.pid);
  t.equal(await getBody((addresses as string[])[0]!), 'primary');
  process.kill(program.pid, 'SIGUSR2');
  t.strictSame((await program.announced('ready', 2)).addresses, addresses);
  await program.announced('error', 2);
  t.equal(await getBody((addresses as string[])[0]!), 'primary');
});

/** Says what a worker thread sees of the hand-over, and waits for it before the server is ready. */
const THREAD = `
  const { Worker } = await import('node:worker_threads');
  const worker = new Worker(\`
    const names = Object.keys(process.env).filter((name) => /^(GRACE_|LISTEN_)/.test(name));
    require('node:worker_threads').parentPort.postMessage({ names, options: process.env.NODE_OPTIONS ?? '', execArgv: process.execArgv });
  \`, { eval: true });
  announce('thread', await new Promise((done) => worker.once('message', done)));
`;

t.test('a worker thread of a successor runs, and sees nothing of the hand-over', async (t) => {
  const program = start(t, writeRelease(scratch(t), goodRelease('threads', '127.0.0.1:0', THREAD, '{ follow: false }')));
  for (const generation of [1, 2, 3]) {
    const { addresses } = await program.announced('ready', generation);
    const { names, options, execArgv, pid } = (await program.announced('thread', generation)) as unknown as Record<string, unknown>;
    t.strictSame({ names, options, execArgv, pid }, { names: [], options: '', execArgv: [], pid: program.serving });
    t.equal(await getBody((addresses as string[])[0]!), 'threads');
    process.kill(program.serving, generation < 3 ? 'SIGUSR2' : 'SIGTERM');
  }
  await program.ended();
  t.strictSame(
    program.all('closed').map(({ code }) => code),
    [0, 0, 0],
  );
});
