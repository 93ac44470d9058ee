import http from 'node:http';
import stoppable from 'stoppable';
import { handler } from './handler.mjs';

const server = stoppable(http.createServer(handler)).listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.stop());
