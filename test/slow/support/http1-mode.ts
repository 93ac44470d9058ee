import t from 'tap';
import { HTTP1_CLIENTS, prepareClients, skipWithoutClients } from './all-clients.js';
import { restartUnder, serveProtocols, stopAll } from './restarts.js';

/** How connections of HTTP/1.1 fare at a restart. */
export interface Http1Mode {
  readonly scheme: 'http' | 'https';
  readonly moveConnections: boolean;
}

/** Restarts a server five times under every client, and asserts that not one sees an error. */
export function testHttp1Clients({ scheme, moveConnections }: Http1Mode): void {
  t.setTimeout(300_000);
  const skip = skipWithoutClients('wrk');
  if (skip === false) prepareClients();
  for (const [group, startThem] of Object.entries(HTTP1_CLIENTS)) {
    t.test(`five restarts, and no client of HTTP/1.1 sees an error: ${group}`, { skip }, async (t) => {
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
