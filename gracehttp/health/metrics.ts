import { errnoCode } from '../../lib/errors.js';
import { requirePackage } from '../../lib/require.js';
import { type History } from '../totals.js';
import { type App } from '../app.js';
import { type Traffic } from '../served-server.js';
import { type Reply } from './control.js';

/** What is needed of a `Registry` of prom-client's. */
export interface MetricsSource {
  metrics(): string | Promise<string>;
}

type Client = typeof import('prom-client');

const GAUGES: readonly (readonly [string, string, keyof Traffic])[] = [
  ['grace_connections_open', 'Connections that are open, those that wait for a place among them', 'open'],
  ['grace_connections_idle', 'Connections without a request under way', 'idle'],
  ['grace_connections_queued', 'Connections that wait for a place', 'queued'],
  ['grace_connections_limit', 'The most connections at a time, +Inf without a limit', 'limit'],
  ['grace_requests_in_flight', 'Requests under way', 'inFlight'],
];
const COUNTERS: typeof GAUGES = [
  ['grace_connections_total', 'Connections accepted by this process', 'total'],
  ['grace_connections_refused_total', 'Connections of this process that found no room in the queue', 'refused'],
];
const TOTALS: readonly (readonly [string, string, keyof History])[] = [
  ['grace_drains_total', 'Drains that came to their end, in all generations', 'drains'],
  ['grace_drain_seconds_total', 'How long these took, together', 'drainSeconds'],
  ['grace_cut_off_total', 'Requests that a drain deadline cut off, in all generations', 'cutOff'],
];

/** The text of `/metrics`, by way of prom-client, which is loaded when it is first asked for. */
export class Metrics {
  readonly #app: App;
  readonly #others: MetricsSource | undefined;
  #registry: Promise<MetricsSource & { readonly contentType: string }> | undefined;

  constructor(app: App, others: MetricsSource | undefined) {
    this.#app = app;
    this.#others = others;
  }

  async reply(): Promise<Reply> {
    let client: Client;
    try {
      // Not by import(): measured on Node.js 22, in a successor whose node_modules is a symbolic link, that never settles.
      client = requirePackage<Client>('prom-client');
    } catch (error) {
      if (errnoCode(error) !== 'MODULE_NOT_FOUND') throw error;
      return { status: 501, body: { error: 'the package prom-client is not installed' } };
    }
    this.#registry ??= Promise.resolve(makeRegistry(client, this.#app));
    const registry = await this.#registry;
    const texts = [await registry.metrics(), ...(this.#others === undefined ? [] : [await this.#others.metrics()])];
    return { status: 200, headers: { 'Content-Type': registry.contentType }, body: texts.join('\n') };
  }
}

/** Everything is read when it is asked for: nothing is counted twice, and nothing a request. */
function makeRegistry({ Registry, Gauge, Counter }: Client, app: App): MetricsSource & { readonly contentType: string } {
  const registry = new Registry();
  const registers = [registry];
  const ofServers = (key: keyof Traffic): [{ server: string }, number][] =>
    app.servers.map(({ listener, traffic }) => [{ server: listener.name ?? listener.address }, traffic[key]]);

  const gauge = (name: string, help: string, key: keyof Traffic): void => {
    new Gauge({
      name,
      help,
      registers,
      labelNames: ['server'],
      collect() {
        for (const [labels, value] of ofServers(key)) this.set(labels, value);
      },
    });
  };
  const counter = (name: string, help: string, label: string, values: () => [Record<string, string>, number][]): void => {
    new Counter({
      name,
      help,
      registers,
      labelNames: label === '' ? [] : [label],
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.inc(labels, value);
      },
    });
  };
  new Gauge({
    name: 'grace_generation',
    help: 'Which process it is; the first is 1',
    registers,
    collect() {
      this.set(app.generation);
    },
  });
  for (const [name, help, key] of GAUGES) gauge(name, help, key);
  for (const [name, help, key] of COUNTERS) counter(name, help, 'server', () => ofServers(key));
  counter('grace_restarts_total', 'Restarts in all generations, by result', 'result', () => [
    [{ result: 'succeeded' }, app.history.restartsSucceeded],
    [{ result: 'failed' }, app.history.restartsFailed],
  ]);
  for (const [name, help, key] of TOTALS) counter(name, help, '', () => [[{}, app.history[key]]]);
  return registry;
}
