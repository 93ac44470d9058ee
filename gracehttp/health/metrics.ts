import { type App } from '../app.js';
import { type Traffic } from '../served-server.js';
import { type MetricFamily, type Sample, TEXT_CONTENT_TYPE, writeMetrics } from './exposition.js';
import { type Reply } from './reply.js';

/** A program's own metrics in text form. A `Registry` of prom-client is one. */
export interface MetricsSource {
  /** All metrics as text. */
  metrics(): string | Promise<string>;
  /** The format of {@link metrics}. Default: Prometheus text 0.0.4; OpenMetrics text works too. */
  readonly contentType?: string;
}

type OfServer = readonly [name: string, type: MetricFamily['type'], key: keyof Traffic, help: string];

const OF_SERVERS: readonly OfServer[] = [
  ['grace_connections_open', 'gauge', 'open', 'Open connections, including those that wait for a place'],
  ['grace_connections_idle', 'gauge', 'idle', 'Open connections without a request in flight'],
  ['grace_connections_queued', 'gauge', 'queued', 'Open connections that wait for a place'],
  ['grace_connections_limit', 'gauge', 'limit', 'Limit on simultaneous connections, +Inf if there is none'],
  ['grace_requests_in_flight', 'gauge', 'inFlight', 'Requests in flight'],
  ['grace_connections_total', 'counter', 'total', 'Connections accepted by this process'],
  ['grace_connections_moved_total', 'counter', 'moved', 'Connections that this process took over from its predecessor'],
  ['grace_connections_refused_total', 'counter', 'refused', 'Connections refused by this process because the queue was full'],
];
const OPENMETRICS = /^application\/openmetrics-text\b/;

/** `/metrics`: the metrics of the app, then those of `own`. */
export async function metrics(app: App, own: MetricsSource | undefined): Promise<Reply> {
  const isOpenMetrics = own?.contentType !== undefined && OPENMETRICS.test(own.contentType);
  const texts = [writeMetrics(familiesOf(app), isOpenMetrics ? 'openmetrics' : 'text')];
  if (own !== undefined) texts.push(await own.metrics());
  return {
    status: 200,
    headers: { 'Content-Type': isOpenMetrics ? own.contentType : TEXT_CONTENT_TYPE },
    body: texts.join(''),
  };
}

/** All values are read now: nothing is counted twice, and no request costs anything. */
function familiesOf(app: App): readonly MetricFamily[] {
  const { totals, servers } = app;
  const traffics = servers.map(({ traffic }, index) => ({ labels: { server: labelOf(servers, index) }, traffic }));
  const ofServers = OF_SERVERS.map(([name, type, key, help]): MetricFamily => {
    return { name, type, help, samples: traffics.map(({ labels, traffic }) => ({ labels, value: traffic[key] })) };
  });
  return [
    { name: 'grace_generation', type: 'gauge', help: 'Generation of this process; the first one is 1', samples: [one(app.generation)] },
    {
      name: 'grace_probation',
      type: 'gauge',
      help: '1 while this process is on probation, or stands by for its successor',
      samples: [one(app.probation.active ? 1 : 0)],
    },
    ...ofServers,
    {
      name: 'grace_restarts_total',
      type: 'counter',
      help: 'Restarts in all generations, by result',
      samples: [
        { labels: { result: 'succeeded' }, value: totals.restartsSucceeded },
        { labels: { result: 'failed' }, value: totals.restartsFailed },
        { labels: { result: 'reverted' }, value: totals.restartsReverted },
      ],
    },
    counter('grace_drains_total', 'Completed drains in all generations', totals.drains),
    counter('grace_drain_seconds_total', 'Time that these drains took together, in seconds', totals.drainSeconds),
    counter('grace_cut_off_total', 'Requests that a drain deadline cut off, in all generations', totals.cutOff),
    counter('grace_lost_total', 'Connections that had moved to a process that failed on probation, in all generations', totals.lost),
    counter('grace_moved_total', 'Connections that moved to a successor, in all generations', totals.moved),
  ];
}

/** The name, or the address if there is no name or if several servers have it: two series must not be the same. */
function labelOf(servers: App['servers'], index: number): string {
  const { name, address } = servers[index]!.listener;
  const isUnique = servers.filter(({ listener }) => listener.name === name).length === 1;
  return name !== undefined && isUnique ? name : address;
}

function counter(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'counter', samples: [one(value)] };
}

function one(value: number): Sample {
  return { labels: {}, value };
}
