import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { LISTENERS, makeServer, tell, tellConnections, tellOnSignals } from './common.js';

/** Servers without ts-grace. They close at SIGTERM. */
const servers = Array.from({ length: LISTENERS }, makeServer);
await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1', 4_096), 'listening')));
tellConnections(servers[0]!);
process.on('SIGTERM', () => servers.forEach((server) => server.close()));
tellOnSignals();
tell({ port: (servers[0]!.address() as AddressInfo).port });
