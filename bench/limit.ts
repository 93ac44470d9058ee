import { once } from 'node:events';
import net from 'node:net';
import { Program } from './program.js';

const AT_ONCE = 100;
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';

/** What waiting connections cost. */
export interface Waiting {
  /** Memory of one waiting connection. */
  readonly bytes: number;
  /** Time from the first free place to the last response. */
  readonly milliseconds: number;
}

/** Measures connections that have sent their requests and wait for a place. */
export async function waiting(connections: number): Promise<Waiting> {
  const program = new Program('limited', { WAITING: '1' });
  const port = await program.fact('port');
  const before = await program.memory();
  const answers: Promise<unknown>[] = [];
  const sockets: net.Socket[] = [];
  while (sockets.length < connections) {
    const some = Array.from({ length: Math.min(AT_ONCE, connections - sockets.length) }, () => net.connect(port, '127.0.0.1'));
    answers.push(...some.map((socket) => once(socket, 'data')));
    await Promise.all(some.map((socket) => once(socket.setNoDelay(), 'connect')));
    for (const socket of some) socket.write(REQUEST);
    sockets.push(...some);
  }
  const after = await program.memory();
  const begin = performance.now();
  program.process.kill('SIGWINCH');
  await Promise.all(answers);
  const milliseconds = performance.now() - begin;
  for (const socket of sockets) socket.destroy();
  await program.end();
  return { bytes: (after - before) / connections, milliseconds };
}
