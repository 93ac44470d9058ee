import t from 'tap';
import { HTTP2_CLIENTS, prepareClients, skipWithoutClients } from '../support/all-clients.js';
import { RESTARTS, restartUnder, serveProtocols, stopAll } from '../support/restarts.js';

t.setTimeout(300_000);

const skip = skipWithoutClients('h2load');
if (skip === false) prepareClients();

/** What is asserted of a client; docs/clients.md has what was measured, and the reasons. */
interface Bound {
  /** The requests that it has to have sent; pages with Chromium. */
  readonly atLeast: number;
  /** So many may fail. */
  readonly atMost: number;
}

/** The server takes it for a pause of the client if the machine stands still for seconds, so one is allowed. */
const ALLOWED = 1;
const GOT_LOOPS = 4;
const HTTPX_CONNECTIONS = 3;
const DEFAULT: Bound = { atLeast: 300, atMost: ALLOWED };
const BOUNDS: Readonly<Record<string, Bound>> = {
  h2load: { atLeast: 5_000, atMost: ALLOWED },
  'Chromium, page of 50 images': { atLeast: 2, atMost: ALLOWED },
  'Chromium, EventSource': { atLeast: 2, atMost: ALLOWED },
  // It goes on using a connection after GOAWAY, so each of its loops can fail at each restart.
  'got, HTTP/2': { atLeast: 300, atMost: GOT_LOOPS * RESTARTS },
  // It takes GOAWAY for an error of the request that it waits for.
  'httpx, HTTP/2': { atLeast: 300, atMost: HTTPX_CONNECTIONS * RESTARTS },
};

for (const [name, startThem] of Object.entries(HTTP2_CLIENTS)) {
  t.test(`five restarts under clients of HTTP/2: ${name}`, { skip }, async (t) => {
    const { program, ports } = await serveProtocols(t, ['h2+http1']);
    const results = await restartUnder(program, await startThem(t, `https://127.0.0.1:${ports[0]!}/`));
    for (const [client, { sent, errors }] of Object.entries(results)) {
      t.comment(`${client}: ${sent} sent, ${errors.length} failed ${errors.slice(0, 3).join('; ')}`);
      const { atLeast, atMost } = BOUNDS[client] ?? DEFAULT;
      t.ok(sent >= atLeast, `${client}: ${sent} of at least ${atLeast} requests`);
      t.ok(errors.length <= atMost, `${client}: ${errors.length} failed of at most ${atMost}`);
    }
    await stopAll(t, program);
  });
}
