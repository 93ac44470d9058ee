import { nodeProgram, packageFile, packageVersion } from '../../run/node-packages.js';
import { type System } from '../system.js';
import { bySignal } from '../ways.js';

function startServer(workers: number): System {
  return {
    name: `start_server-${workers}`,
    title: `ts-grace start_server, ${workers} worker${workers === 1 ? '' : 's'}`,
    group: 'ts-grace',
    restarts: 'SIGHUP',
    version: () => packageVersion('ts-grace'),
    start: (place) => {
      const command = [packageFile('ts-grace', 'dist/starter/cli/main.js'), `--port=127.0.0.1:${place.port}`, `--workers=${workers}`];
      return bySignal(place.spawn(process.execPath, [...command, '--', process.execPath, nodeProgram('starter.mjs')]), 'SIGHUP');
    },
  };
}

export const startServer1 = startServer(1);
export const startServer2 = startServer(2);
