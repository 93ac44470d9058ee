import http from 'node:http';
import closeWithGrace from 'close-with-grace';
import { handler } from './handler.mjs';

const server = http.createServer(handler).listen(Number(process.env.PORT), '127.0.0.1');
closeWithGrace(() => new Promise((resolve) => server.close(resolve)));
