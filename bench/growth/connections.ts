import net from 'node:net';
import { readAnswer } from '../peers/load/answer.js';

const AT_ONCE = 100;
const TIMEOUT_MS = 20_000;
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';

/** Connections that have had one answer and are idle. */
export async function openIdle(port: number, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => net.connect(port, '127.0.0.1'));
    for (const socket of some) socket.on('error', () => undefined);
    const pids = await Promise.all(some.map(ask));
    if (pids.includes(undefined)) throw new Error(`a connection was not answered, after ${sockets.length}`);
    sockets.push(...some);
  }
  return sockets;
}

/** One more request on each connection. */
export async function askAll(sockets: readonly net.Socket[]): Promise<{ readonly lost: number; readonly closed: number }> {
  const closed = sockets.filter((socket) => socket.destroyed || socket.readableEnded).length;
  let lost = 0;
  for (let first = 0; first < sockets.length; first += AT_ONCE) {
    const open = sockets.slice(first, first + AT_ONCE).filter((socket) => !socket.destroyed && !socket.readableEnded);
    lost += (await Promise.all(open.map(ask))).filter((pid) => pid === undefined).length;
  }
  return { lost, closed };
}

/** The process that answers on a connection; undefined if no whole answer comes. */
function ask(socket: net.Socket): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (data: Buffer): void => {
      text += data.toString('latin1');
      const answer = readAnswer(text);
      if (answer !== undefined) finish(answer.pid);
    };
    const onClose = (): void => finish(undefined);
    const timer = setTimeout(onClose, TIMEOUT_MS);
    const finish = (pid: number | undefined): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      resolve(pid);
    };
    socket.on('data', onData).on('close', onClose);
    socket.write(REQUEST);
  });
}
