import { type Place } from '../../lib/check/names.js';
import { optionNames } from '../../lib/options.js';
import { type EntryOptions } from './server-entry.js';
import { type ServerOptions } from './server-options.js';

/** With these types, an option that is missing here does not compile. */
const OF_ENTRIES: Readonly<Record<keyof EntryOptions, true>> = {
  name: true,
  mode: true,
  backlog: true,
  maxConnections: true,
  maxQueued: true,
  overflow: true,
  queueTimeout: true,
  onDrain: true,
};
const OF_CREATED_SERVERS: Readonly<Record<Exclude<keyof ServerOptions, keyof EntryOptions>, true>> = {
  tls: true,
  readHeaderTimeout: true,
  readTimeout: true,
  writeTimeout: true,
  keepAliveTimeout: true,
  maxHeaderBytes: true,
  tcpKeepAlive: true,
};

/** How other libraries name what an entry has. */
export const MEANT_IN_ENTRY: Readonly<Record<string, string>> = {
  port: 'listen',
  host: 'listen',
  address: 'listen',
  path: 'listen',
  app: 'handler',
  limit: 'maxConnections',
};

/** What AppOptions has. */
export const APP_OPTIONS: readonly string[] = [...optionNames(), 'warmup'];
/** What {@link EntryOptions} has. */
export const ENTRY_OPTIONS: readonly string[] = Object.keys(OF_ENTRIES);
/** What {@link ServerOptions} has. */
export const SERVER_OPTIONS: readonly string[] = [...ENTRY_OPTIONS, ...Object.keys(OF_CREATED_SERVERS)];

export const IN_APP: Place = {
  names: APP_OPTIONS,
  write: (name) => `new App({ ${name}: … }).serve(…)`,
};
export const IN_APP_OF_LISTEN_AND_SERVE: Place = {
  names: APP_OPTIONS,
  write: (name) => `listenAndServe(address, handler, { app: { ${name}: … } })`,
};
export const IN_ENTRY: Place = {
  names: ENTRY_OPTIONS,
  write: (name) => `serve({ server, listen, ${name}: … })`,
};
export const IN_CREATE_SERVER: Place = {
  names: SERVER_OPTIONS,
  write: (name) => `createServer(address, handler, { ${name}: … })`,
};
