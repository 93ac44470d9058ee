import t from 'tap';
import { HTTP1_CLIENTS, skipWithoutClients } from '../support/all-clients.js';
import { restartUnder, serveProtocols, stopAll } from '../support/restarts.js';

t.setTimeout(110_000);

const MODES = [
  { mode: 'connections move', scheme: 'http', moveConnections: true },
  { mode: 'connections do not move', scheme: 'http', moveConnections: false },
  { mode: 'TLS', scheme: 'https', moveConnections: true },
] as const;

for (const { mode, scheme, moveConnections } of MODES) {
  for (const [group, startThem] of Object.entries(HTTP1_CLIENTS)) {
    t.test(`five restarts, and no client of HTTP/1.1 sees an error: ${mode}, ${group}`, { skip: skipWithoutClients('wrk') }, async (t) => {
      const { program, ports } = await serveProtocols(t, [scheme], { moveConnections });
      const results = await restartUnder(program, await startThem(t, `${scheme}://127.0.0.1:${ports[0]!}/`));
      for (const [client, { sent, errors }] of Object.entries(results)) {
        t.ok(sent > 0);
        t.strictSame(errors, [], `${client}: ${sent} requests`);
      }
      await stopAll(t, program);
    });
  }
}
