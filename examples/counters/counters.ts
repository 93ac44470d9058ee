/**
 * A line protocol over TCP, in the manner of Redis: `INCR`, `GET` and `QUIT`. Each
 * connection has a counter of its own, which is kept over restarts, and the
 * connection with it.
 *
 *     node counters.js 127.0.0.1:7000     and then     nc 127.0.0.1 7000
 */
import net, { type Socket } from 'node:net';
import { Grace } from 'ts-grace';

interface Session {
  count: number;
  /** What was received of a line that is not complete. */
  rest: string;
}

const grace = new Grace({ follow: false });
grace.adopt<Socket, Session>('counters', (socket, session, head) => {
  talk(socket, session);
  if (head.length > 0) socket.emit('data', head);
});
const listener = await grace.listen(process.argv[2] ?? '127.0.0.1:0');
await listener.serve(net.createServer((socket) => talk(socket, { count: 0, rest: '' })));
await grace.ready();
console.log(JSON.stringify({ event: 'ready', pid: process.pid, addresses: [listener.address] }));

function talk(socket: Socket, session: Session): void {
  const onData = (data: Buffer): void => {
    const lines = (session.rest + data.toString('latin1')).split('\r\n');
    session.rest = lines.pop()!;
    for (const line of lines) answer(socket, session, line);
  };
  const onError = (): void => void socket.destroy();
  socket.on('data', onData).on('error', onError);
  grace.keep(socket, 'counters', () => {
    socket.off('data', onData).off('error', onError);
    return session;
  });
}

function answer(socket: Socket, session: Session, line: string): void {
  if (line === 'INCR') socket.write(`:${(session.count += 1)} ${process.pid}\r\n`);
  else if (line === 'GET') socket.write(`:${session.count} ${process.pid}\r\n`);
  else if (line === 'QUIT') socket.end('+OK\r\n');
  else socket.write(`-ERR unknown command ${line}\r\n`);
}
