import http from 'node:http';
import { createHttpTerminator } from 'http-terminator';
import { handler } from './handler.mjs';

const server = http.createServer(handler).listen(Number(process.env.PORT), '127.0.0.1');
const terminator = createHttpTerminator({ server });
process.on('SIGTERM', () => terminator.terminate());
