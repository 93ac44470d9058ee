import t from 'tap';
import { type StartOptions, readStartOptions } from '../../starter/options.js';
import fc from 'fast-check';
import { holds, unlessRefused } from '../support/properties/holds.js';
import { anything } from '../support/properties/values.js';

const NAMES = [
  ...['exec', 'port', 'path', 'dir', 'interval', 'signalOnHup', 'signalOnTerm', 'pidFile', 'statusFile', 'envdir', 'logFile'],
  ...[
    'enableAutoRestart',
    'autoRestartInterval',
    'killOldDelay',
    'backlog',
    'workers',
    'readyTimeout',
    'startTimeout',
    'killTimeout',
    'listenFds',
    'nonBlocking',
  ],
];

t.test('times are seconds, and signals may be names or numbers', async (t) => {
  const settings = readStartOptions({ exec: ['node', 'server.js'], interval: 0.5, signalOnHup: 'usr2', signalOnTerm: '15', workers: 3 });
  t.match(settings, { exec: ['node', 'server.js'], interval: 500, signalOnHup: 'SIGUSR2', signalOnTerm: 'SIGTERM', workers: 3 });
});

t.test('every value of every option is accepted or refused', async (t) => {
  const read = (options: unknown): unknown => unlessRefused(() => readStartOptions(options as StartOptions), 'OPTION_INVALID');
  for (const name of NAMES) {
    holds(t, name, fc.oneof(anything, fc.array(anything)), (value) => void read({ exec: ['node'], [name]: value }));
  }
  holds(t, 'all options', anything, read);
});
