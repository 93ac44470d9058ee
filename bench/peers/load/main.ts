import { Client } from './client.js';
import { type RequestRecord, now, pack } from './records.js';

/** The load, in a process of its own: `node main.js PORT KEEP_ALIVE_CLIENTS NEW_CONNECTION_CLIENTS THINK_MS`. */
const RECENT_MS = 300;
const [port = 0, keepAlive = 0, newConnection = 0, think = 0] = process.argv.slice(2).map(Number);

const records: RequestRecord[] = [];
const add = (record: RequestRecord): void => void records.push(record);
const clients = [
  ...Array.from({ length: keepAlive }, () => new Client(port, true, think, add)),
  ...Array.from({ length: newConnection }, () => new Client(port, false, think, add)),
];

/** The processes that have answered lately. */
function answering(): number[] {
  const pids = new Set<number>();
  for (let index = records.length - 1; index >= 0 && records[index]!.end > now() - RECENT_MS; index -= 1) pids.add(records[index]!.pid);
  return [...pids].filter((pid) => pid > 0);
}

process.on('message', (question) => {
  if (question === 'answering') process.send!(answering());
  if (question !== 'end') return;
  for (const client of clients) client.stop();
  process.send!(pack(records), () => process.exit());
});
// The benchmark was interrupted.
process.on('disconnect', () => process.exit());
