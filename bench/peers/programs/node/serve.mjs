import { App } from 'ts-grace/gracehttp';
import { handler } from './handler.mjs';

const app = new App({ pidFile: 'app.pid' });
await app.serve({ handler, listen: `127.0.0.1:${process.env.PORT}` });
