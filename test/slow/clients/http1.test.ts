import t from 'tap';
import { http1Clients, skipWithoutClients } from '../support/all-clients.js';
import { restartUnder, serveProtocols, stopAll } from '../support/restarts.js';

t.setTimeout(110_000);

const MODES = [
  { name: 'connections move', scheme: 'http', moveConnections: true },
  { name: 'connections do not move', scheme: 'http', moveConnections: false },
  { name: 'TLS', scheme: 'https', moveConnections: true },
] as const;

for (const { name, scheme, moveConnections } of MODES) {
  t.test(`five restarts, and no client of HTTP/1.1 sees an error: ${name}`, { skip: skipWithoutClients('wrk') }, async (t) => {
    const { program, ports } = await serveProtocols(t, [scheme], { moveConnections });
    const results = await restartUnder(program, await http1Clients(t, ports[0]!, scheme));
    for (const [client, { sent, errors }] of Object.entries(results)) {
      t.strictSame(errors, [], `${client}: ${sent} requests`);
      t.ok(sent > 0);
    }
    await stopAll(t, program);
  });
}
