import { nodeProgram, packageFile, packageVersion } from '../../run/node-packages.js';
import { type System } from '../system.js';
import { bySignal } from '../ways.js';

/** The program of `close`, unchanged: `node --import ts-grace/auto server.js`. */
export const auto: System = {
  name: 'auto',
  title: 'ts-grace/auto',
  group: 'ts-grace',
  restarts: 'SIGUSR2',
  version: () => packageVersion('ts-grace'),
  start: (place) => {
    const args = ['--import', packageFile('ts-grace', 'dist/gracehttp/auto/compiled/load.js'), nodeProgram('close.mjs')];
    return bySignal(place.spawn(process.execPath, args, { GRACE_PID_FILE: place.path('app.pid') }), 'SIGUSR2');
  },
};
