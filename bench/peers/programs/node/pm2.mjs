import http from 'node:http';
import { handler } from './handler.mjs';

const server = http.createServer(handler).listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGINT', () => server.close(() => process.exit(0)));
