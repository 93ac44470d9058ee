/**
 * A chat over WebSockets, by the package `ws`. Each line goes to all users, also
 * while the server restarts and some users are still in the old process.
 *
 *     node chat.js 127.0.0.1:8080     and then a WebSocket client at ws://127.0.0.1:8080/?name=Ann
 */
import { createServer } from 'node:http';
import { App } from 'ts-grace/gracehttp';
import { moveWebSockets } from 'ts-grace/ws';
import { type WebSocket, WebSocketServer } from 'ws';

interface Line {
  /** The process in which it was said, and which of its lines it is. Each process hears the lines of another one in their order. */
  readonly from: number;
  readonly number: number;
  readonly text: string;
}

interface User {
  readonly name: string;
  /** The number of the last line that this user has got from each process. */
  readonly seen: Record<number, number>;
}

const RECENT_LINES = 500;

/** For a user who is on the way from one process to the other, while both get every line. */
const recent: Line[] = [];
const users = new Map<WebSocket, User>();
const [address = '127.0.0.1:0', drainTimeout = '30000', compress] = process.argv.slice(2);
const app = new App({ follow: false, drainTimeout: Number(drainTimeout) });
const server = createServer();
const wss = new WebSocketServer({ server, perMessageDeflate: compress !== undefined });
let count = 0;

wss.on('connection', (ws, request) => {
  join(ws, { name: new URL(request.url ?? '/', 'http://localhost').searchParams.get('name') ?? 'nobody', seen: {} });
});
moveWebSockets<WebSocket, User>(app, wss, {
  state: (ws) => {
    const user = users.get(ws)!;
    users.delete(ws);
    return user;
  },
  restore: (ws, user) => {
    join(ws, user);
    for (const line of recent) pass(line, ws, user);
  },
});
app.carried.onAsk('chat', (line) => say(line as Line, 'successor'));
await app.serve({ server, listen: address });
app.carried.hear('chat', (line) => say(line as Line, 'predecessor'));
console.log(JSON.stringify({ event: 'ready', pid: process.pid, addresses: app.addresses }));

function join(ws: WebSocket, user: User): void {
  users.set(ws, user);
  ws.on('message', (text) => {
    count += 1;
    say({ from: process.pid, number: count, text: `${user.name}: ${String(text as Buffer)} ${process.pid}` }, 'here');
  });
  ws.on('close', () => users.delete(ws));
}

/** Sends a line to the users in this process, and passes it on to the processes that have not had it. */
function say(line: Line, heardFrom: 'here' | 'predecessor' | 'successor'): void {
  recent.push(line);
  if (recent.length > RECENT_LINES) recent.shift();
  for (const [ws, user] of users) pass(line, ws, user);
  if (heardFrom !== 'successor') app.carried.tell('chat', line);
  if (heardFrom !== 'predecessor') app.carried.ask('chat', line);
}

/** A user who has moved may be faster than a line, and has then got it in the other process. */
function pass({ from, number, text }: Line, ws: WebSocket, { seen }: User): void {
  if ((seen[from] ?? 0) >= number) return;
  seen[from] = number;
  ws.send(text);
}
