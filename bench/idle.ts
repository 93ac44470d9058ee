import net from 'node:net';
import { Program } from './program.js';

const AT_ONCE = 100;
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';

/** Bytes that an idle connection takes in addition to what Node.js itself needs for it. */
export async function idleMemory(connections: number): Promise<number> {
  const ours = await bytesEach('ours', connections);
  return ours - (await bytesEach('bare', connections));
}

async function bytesEach(kind: 'ours' | 'bare', connections: number): Promise<number> {
  const program = new Program(kind);
  const port = await program.fact('port');
  (await connect(port, AT_ONCE)).forEach((socket) => socket.destroy());
  const before = await program.memory();
  const sockets = await connect(port, connections);
  const after = await program.memory();
  for (const socket of sockets) socket.destroy();
  await program.end();
  return (after - before) / connections;
}

/** The longest time, in milliseconds, for which the event loop is blocked while idle connections are drained. */
export async function drainStall(connections: number): Promise<number> {
  const program = new Program('ours');
  const sockets = await connect(await program.fact('port'), connections);
  program.process.kill('SIGWINCH');
  await program.fact('watching');
  program.process.kill('SIGTERM');
  const stall = await program.fact('longestStall');
  for (const socket of sockets) socket.destroy();
  return stall;
}

/** Connections that have had one response and are idle. */
async function connect(port: number, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => open(port)))));
  }
  return sockets;
}

function open(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(REQUEST));
    socket.once('data', () => resolve(socket));
    socket.once('error', reject);
  });
}
