import http from 'node:http';
import { parseArgs } from 'node:util';
import { App, GraceError, type ServerEntry } from 'ts-grace/gracehttp';
import { handler } from './handler.js';
import { News } from './news.js';
import { dieIfDying, exitIfBroken } from './release.js';
import { Sockets } from './sockets.js';

/** go.grace's demo, three servers in one process, and a page to watch it: restart it by a button, or by SIGUSR2. */
const USAGE = `usage: npm run demo -- [--a0 ADDRESS] [--a1 ADDRESS] [--a2 ADDRESS]
  Examples of addresses: :48567, 127.0.0.1:8080, unix:/tmp/demo.sock. Defaults: :48567, :48568 and :48569.`;

/** Long enough to try long durations. */
const DRAIN_TIMEOUT_MS = 10 * 60_000;

async function main(): Promise<void> {
  const { a0, a1, a2 } = readFlags();
  exitIfBroken();
  const app = new App({
    drainTimeout: DRAIN_TIMEOUT_MS,
    log: (message) => {
      console.error(message);
      news.say(message);
    },
  });
  const news = new News(app);
  const sockets = new Sockets(app, news);
  const entry = (name: string, listen: string): ServerEntry => ({
    server: sockets.serve(http.createServer(handler(name, app))),
    listen,
    name: name.toLowerCase(),
    onDrain: (_server, reason) => sockets.leave(reason),
  });
  app.on('closed', () => console.log(`Exiting pid ${process.pid}.`));
  await app.serve(entry('Zero', a0), entry('One', a1), entry('Two', a2));
  announce(app);
  dieIfDying();
}

function announce({ addresses, predecessor }: App): void {
  const where = addresses.join(', ');
  if (predecessor !== undefined) {
    return console.log(`Graceful handoff of ${where} with new pid ${process.pid} and old pid ${predecessor}`);
  }
  console.log(`Serving ${where} with pid ${process.pid}.`);
  const link = linkTo(addresses[0]!);
  if (link !== undefined) console.log(`Open ${link} and press Restart.`);
}

/** For a browser on this machine; undefined for a unix socket. */
function linkTo(address: string): string | undefined {
  if (address.startsWith('unix:')) return undefined;
  return `http://${address.replace(/^(\[::\]|0\.0\.0\.0):/, 'localhost:')}/`;
}

function readFlags(): { a0: string; a1: string; a2: string } {
  try {
    const { values } = parseArgs({
      options: {
        a0: { type: 'string', default: ':48567' },
        a1: { type: 'string', default: ':48568' },
        a2: { type: 'string', default: ':48569' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    return values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof GraceError ? error.message : error);
  process.exit(1);
});
