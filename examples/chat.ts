/**
 * A chat over WebSockets, by the package `ws`. Each line goes to all users, also
 * while the server restarts and some users are in the old process still.
 *
 *     node chat.js 127.0.0.1:8080     and then a WebSocket client at ws://127.0.0.1:8080/?name=Ann
 */
import { createServer } from 'node:http';
import { App } from 'ts-grace/gracehttp';
import { moveWebSockets } from 'ts-grace/ws';
import { type WebSocket, WebSocketServer } from 'ws';

interface User {
  readonly name: string;
  /** The lines that this user has got, of those that are recent. */
  readonly seen: readonly string[];
}

interface Line {
  readonly id: string;
  readonly text: string;
}

const RECENT_LINES = 500;

/** Both processes get every line. A user who moves gets the recent ones that came to the new process only. */
const recent = new Map<string, Line>();
const names = new Map<WebSocket, string>();
const [address = '127.0.0.1:0', drainTimeout = '30000', compress] = process.argv.slice(2);
const app = new App({ follow: false, drainTimeout: Number(drainTimeout) });
const server = createServer();
const wss = new WebSocketServer({ server, perMessageDeflate: compress !== undefined });
let count = 0;

wss.on('connection', (ws, request) => join(ws, new URL(request.url ?? '/', 'http://localhost').searchParams.get('name') ?? 'nobody'));
moveWebSockets<WebSocket, User>(app, wss, {
  state: (ws) => ({ name: names.get(ws) ?? 'nobody', seen: [...recent.keys()] }),
  restore: (ws, { name, seen }) => {
    join(ws, name);
    for (const { id, text } of recent.values()) if (!seen.includes(id)) ws.send(text);
  },
});
app.carried.onAsk('chat', (line) => say(line as Line, 'successor'));
await app.serve({ server, listen: address });
app.carried.hear('chat', (line) => say(line as Line, 'predecessor'));
console.log(JSON.stringify({ event: 'ready', pid: process.pid, addresses: app.addresses }));

function join(ws: WebSocket, name: string): void {
  names.set(ws, name);
  ws.on('message', (text) => say({ id: `${process.pid}.${(count += 1)}`, text: `${name}: ${String(text as Buffer)} ${process.pid}` }, 'here'));
  ws.on('close', () => names.delete(ws));
}

/** Sends a line to the users in this process, and passes it on to the processes that have not had it. */
function say(line: Line, from: 'here' | 'predecessor' | 'successor'): void {
  recent.set(line.id, line);
  for (const id of recent.keys()) if (recent.size > RECENT_LINES) recent.delete(id);
  for (const ws of wss.clients) ws.send(line.text);
  if (from !== 'successor') app.carried.tell('chat', line);
  if (from !== 'predecessor') app.carried.ask('chat', line);
}
