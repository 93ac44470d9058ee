import http from 'node:http';
import { createTerminus } from '@godaddy/terminus';
import { handler } from './handler.mjs';

const server = http.createServer(handler);
createTerminus(server, { useExit0: true });
server.listen(Number(process.env.PORT), '127.0.0.1');
