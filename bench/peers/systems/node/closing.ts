import { nodeProgram, packageVersion } from '../../run/node-packages.js';
import { type System } from '../system.js';
import { byStopAndStart } from '../ways.js';

/** A program that closes its server at SIGTERM, under a supervisor that starts it again. */
function closing(name: string, title: string, version: () => string): System {
  return {
    name,
    title,
    group: 'Node.js',
    restarts: 'SIGTERM, then a new start',
    version,
    start: (place) => byStopAndStart(() => place.spawn(process.execPath, [nodeProgram(`${name}.mjs`)])),
  };
}

/** Documentation of Node.js, `server.close()`: it closes idle connections, and ends when the others have ended. */
export const close = closing('close', 'server.close()', () => process.version.slice(1));

/** Readme of the package: `terminate()` in place of `server.close()`; `gracefulTerminationTimeout` is 5 s by default. */
export const httpTerminator = closing('http-terminator', 'http-terminator', () => packageVersion('http-terminator'));

/** Readme of the package: `server.stop()`; requests in flight are given all the time they need by default. */
export const stoppable = closing('stoppable', 'stoppable', () => packageVersion('stoppable'));

/** Readme of the package: `createTerminus(server)`, `timeout` is 1 s by default; `useExit0` is recommended there. */
export const terminus = closing('terminus', '@godaddy/terminus', () => packageVersion('@godaddy/terminus'));

/** Readme of the package: `closeWithGrace(close)`; `delay` is 10 s by default. */
export const closeWithGrace = closing('close-with-grace', 'close-with-grace', () => packageVersion('close-with-grace'));

/** Fastify's reference, `app.close()`: answers 503 while it closes (`return503OnClosing`), and closes idle connections (`forceCloseConnections`). */
export const fastify = closing('fastify', 'Fastify close()', () => packageVersion('fastify'));
