import t from 'tap';
import { http2Clients, skipWithoutClients } from '../support/all-clients.js';
import { restartUnder, serveProtocols, stopAll } from '../support/restarts.js';

t.setTimeout(110_000);

for (const protocol of ['h2', 'h2+http1']) {
  t.test(`five restarts under clients of HTTP/2: ${protocol}`, { skip: skipWithoutClients('h2load') }, async (t) => {
    const { program, ports } = await serveProtocols(t, [protocol]);
    const results = await restartUnder(program, await http2Clients(t, ports[0]!));
    for (const [client, { sent, errors }] of Object.entries(results)) {
      t.comment(`${client}: ${sent} sent, ${errors.length} failed ${errors.slice(0, 3).join('; ')}`);
      t.ok(sent > 0);
    }
    await stopAll(t, program);
  });
}
