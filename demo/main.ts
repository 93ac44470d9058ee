import http from 'node:http';
import { parseArgs } from 'node:util';
import { App } from '../gracehttp/app.js';
import { GraceError } from '../lib/errors.js';
import { sleeper } from './handler.js';

/** go.grace's demo: three servers in one process. Restart it by SIGUSR2 while a request sleeps. */
const USAGE = `usage: npm run demo -- [--a0 ADDRESS] [--a1 ADDRESS] [--a2 ADDRESS]
  Examples of addresses: :48567, 127.0.0.1:8080, unix:/tmp/demo.sock. Defaults: :48567, :48568 and :48569.`;

/** Long enough to try long durations. */
const DRAIN_TIMEOUT_MS = 10 * 60_000;

async function main(): Promise<void> {
  const { a0, a1, a2 } = readFlags();
  const app = new App({ drainTimeout: DRAIN_TIMEOUT_MS });
  app.on('closed', () => console.log(`Exiting pid ${process.pid}.`));
  await app.serve(
    { server: http.createServer(sleeper('Zero')), listen: a0, name: 'zero' },
    { server: http.createServer(sleeper('One')), listen: a1, name: 'one' },
    { server: http.createServer(sleeper('Two')), listen: a2, name: 'two' },
  );
  const where = app.addresses.join(', ');
  console.log(
    app.predecessor === undefined
      ? `Serving ${where} with pid ${process.pid}.`
      : `Graceful handoff of ${where} with new pid ${process.pid} and old pid ${app.predecessor}`,
  );
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
