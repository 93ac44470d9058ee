import { App } from '../../gracehttp/index.js';
import { longestStall, makeServer, tell, tellOnSignals } from './common.js';

/** The same server, served by an App. Each process ends when it has drained, so that all restarts are measured alike. */
const app = new App({ idleTimeout: 500, follow: false, probation: 0 });
tellOnSignals();
app.on('closed', () => tell({ longestStall: longestStall() }));
await app.serve({ server: makeServer(), listen: '127.0.0.1:0' });
tell({ port: Number(app.addresses[0]?.split(':').at(-1)) });
