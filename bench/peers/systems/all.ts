import { close, closeWithGrace, fastify, httpTerminator, stoppable, terminus } from './node/closing.js';
import { cluster } from './node/cluster.js';
import { pm2 } from './node/pm2.js';
import { auto } from './ours/auto.js';
import { serve, serveNoProbation } from './ours/serve.js';
import { startServer1, startServer2 } from './ours/start-server.js';
import { facebookGrace, tableflip } from './servers/go.js';
import { gunicornHup, gunicornUsr2, uvicorn } from './servers/gunicorn.js';
import { haproxy, haproxyIdleClose } from './servers/haproxy.js';
import { nginx } from './servers/nginx.js';
import { puma, unicorn } from './servers/ruby.js';
import { starlet } from './servers/starlet.js';
import { type System } from './system.js';

/** All systems, in the order in which they take turns and are shown. */
export const SYSTEMS: readonly System[] = [
  ...[serve, serveNoProbation, auto, startServer1, startServer2],
  ...[close, httpTerminator, stoppable, terminus, closeWithGrace, fastify, cluster, pm2],
  ...[nginx, haproxy, haproxyIdleClose, gunicornHup, gunicornUsr2, uvicorn, unicorn, puma, starlet, facebookGrace, tableflip],
];
