import { makeServer, tell, tellOnSignals } from './common.js';

/** A server without ts-grace. */
const server = makeServer();
tellOnSignals();
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  tell({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('SIGTERM', () => process.exit());
