import t from 'tap';
import { HTTP2_CLIENTS, prepareClients, skipWithoutClients } from '../support/all-clients.js';
import { restartUnder, serveProtocols, stopAll } from '../support/restarts.js';

t.setTimeout(300_000);

const skip = skipWithoutClients('h2load');
if (skip === false) prepareClients();

for (const [name, startThem] of Object.entries(HTTP2_CLIENTS)) {
  t.test(`five restarts under clients of HTTP/2: ${name}`, { skip }, async (t) => {
    const { program, ports } = await serveProtocols(t, ['h2+http1']);
    const results = await restartUnder(program, await startThem(t, `https://127.0.0.1:${ports[0]!}/`));
    for (const [client, { sent, errors }] of Object.entries(results)) {
      t.comment(`${client}: ${sent} sent, ${errors.length} failed ${errors.slice(0, 3).join('; ')}`);
      t.ok(sent > 0);
    }
    await stopAll(t, program);
  });
}
