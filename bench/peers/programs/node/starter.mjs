import { serve } from 'ts-grace/gracehttp';
import { handler } from './handler.mjs';

await serve({ handler, listen: `127.0.0.1:${process.env.PORT}` });
