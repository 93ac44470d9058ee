import { sourceFile } from '../../run/node-packages.js';
import { type System } from '../system.js';
import { bySignal, printedVersion } from '../ways.js';

const RACK = { RACK_ENV: 'production' };

/** Unicorn's SIGNALS: USR2 starts a new master; as in its example, the new one sends QUIT to the old one. It has no keep-alive. */
export const unicorn: System = {
  name: 'unicorn',
  title: 'Unicorn, USR2 and QUIT',
  group: 'others',
  restarts: 'SIGUSR2, then SIGQUIT',
  keepAlive: false,
  version: () => printedVersion('unicorn', ['--version'], /v(\S+)/),
  start: (place) => {
    const args = ['-c', sourceFile('programs/servers/unicorn.rb'), sourceFile('programs/servers/config.ru')];
    return bySignal(place.spawn('unicorn', args, RACK), 'SIGUSR2');
  },
};

/** Puma's docs/restart.md: a phased restart (USR1) replaces one worker after the other. */
export const puma: System = {
  name: 'puma',
  title: 'Puma, phased restart',
  group: 'others',
  restarts: 'SIGUSR1',
  version: () => printedVersion('puma', ['--version'], /version (\S+)/),
  start: (place) => {
    const args = ['-C', sourceFile('programs/servers/puma.rb'), sourceFile('programs/servers/config.ru')];
    return bySignal(place.spawn('puma', args, RACK), 'SIGUSR1');
  },
};
