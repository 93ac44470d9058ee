import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { answerTo, open } from '../../support/http/client.js';
import { relayTo } from '../../support/http2/relay.js';
import { RESTARTS, restartUnder, serveProtocols } from '../support/restarts.js';

t.setTimeout(300_000);

const CLIENTS = 600;
/** One way, in milliseconds. */
const DELAY = 40;
/** Each client sends a request after a random time, at most this one. */
const IDLE_MS = 5_000;
/** Fastify's default. */
const KEEP_ALIVE_MS = 72_000;

const MODES = [
  { mode: 'connections move', scheme: 'http', moveConnections: true },
  { mode: 'connections do not move', scheme: 'http', moveConnections: false },
  { mode: 'TLS', scheme: 'https', moveConnections: true },
] as const;

for (const { mode, scheme, moveConnections } of MODES) {
  t.test(`${CLIENTS} idle clients with a keep-alive of ${KEEP_ALIVE_MS / 1_000} s over a delayed link lose nothing: ${mode}`, async (t) => {
    const { program, ports, cert } = await serveProtocols(t, [scheme], { moveConnections, keepAliveTimeout: KEEP_ALIVE_MS });
    const target = { port: await relayTo(t, ports[0]!, DELAY), ca: scheme === 'https' ? cert : undefined };
    const sent = { sent: 0, errors: [] as string[] };
    let stopped = false;
    const stop = new AbortController();
    const client = async (): Promise<void> => {
      const agent = new (scheme === 'https' ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
      while (!stopped) {
        sent.sent += 1;
        const request = open(target, { path: '/', agent });
        const answer = answerTo(request);
        request.end();
        await answer.catch((error: unknown) => sent.errors.push(String(error)));
        await sleep(Math.random() * IDLE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      }
      agent.destroy();
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, client));
    const stopClients = async (): Promise<Record<string, typeof sent>> => {
      stopped = true;
      stop.abort();
      await clients;
      return { idle: sent };
    };
    await restartUnder(program, [{ stop: stopClients }]);
    t.strictSame(sent.errors, [], `${sent.sent} requests`);
    t.ok(sent.sent > CLIENTS);
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
    t.strictSame(
      program.all('closed').map(({ cutOff }) => cutOff),
      Array.from({ length: RESTARTS + 1 }, () => []),
    );
  });
}
