import { App } from '../../../gracehttp/index.js';
import { LISTENERS, makeServer, tell, tellConnections, tellOnSignals } from './common.js';

/** The same servers, served by an App. Each process ends when it has drained, so that all restarts are measured alike. */
const app = new App({ follow: false, probation: 0, log: false });
const servers = Array.from({ length: LISTENERS }, makeServer);
tellConnections(servers[0]!);
await app.serve(...servers.map((server, index) => ({ server, listen: '127.0.0.1:0', name: String(index), backlog: 4_096 })));
tellOnSignals();
tell({ port: Number(app.addresses[0]!.split(':').at(-1)) });
