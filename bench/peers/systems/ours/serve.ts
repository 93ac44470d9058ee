import { nodeProgram, packageVersion } from '../../run/node-packages.js';
import { type System } from '../system.js';
import { bySignal } from '../ways.js';

const common = { group: 'ts-grace', restarts: 'SIGUSR2', version: () => packageVersion('ts-grace') } as const;

/** With a pid file, as a service has it: then the first process need not stay. All other options are the defaults. */
export const serve: System = {
  ...common,
  name: 'serve',
  title: 'ts-grace serve()',
  start: (place) => bySignal(place.spawn(process.execPath, [nodeProgram('serve.mjs')]), 'SIGUSR2'),
};

/** The same without the five seconds in which the old process stands by. */
export const serveNoProbation: System = {
  ...common,
  name: 'serve-no-probation',
  title: 'ts-grace serve(), probation: 0',
  start: (place) => bySignal(place.spawn(process.execPath, [nodeProgram('no-probation.mjs')]), 'SIGUSR2'),
};
