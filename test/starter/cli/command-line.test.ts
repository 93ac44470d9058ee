import assert from 'node:assert/strict';
import t from 'tap';
import { readCommandLine } from '../../../starter/cli/command-line.js';
import { readStartOptions } from '../../../starter/options.js';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { anyText, textsLike } from '../../support/properties/values.js';

t.test('what a command line asks for', async (t) => {
  t.match(readCommandLine(['--port', '80', '--interval=0.5', '--', 'node', '--inspect', 'server.js']), {
    action: 'start',
    options: { port: ['80'], interval: 0.5, exec: ['node', '--inspect', 'server.js'] },
  });
  t.throws(() => readCommandLine(['--prot=80', '--', 'node']), { code: 'OPTION_INVALID' });
  t.throws(() => readCommandLine(['--interval=5s', '--', 'node']), { code: 'OPTION_INVALID', subject: 'interval', value: '5s' });
});

const NUMBERS = ['interval', 'backlog', 'ready-timeout', 'start-timeout', 'kill-timeout', 'kill-old-delay', 'auto-restart-interval'];

t.test('every number is read as it was printed, and the program gets its arguments as they are', async (t) => {
  const number = fc.nat({ max: 1_000_000 }).map((thousandths) => thousandths / 1000);
  holds(t, 'numbers and arguments', fc.tuple(fc.constantFrom(...NUMBERS), number, fc.array(anyText)), ([name, value, args]) => {
    const request = readCommandLine([`--${name}=${value}`, '--', 'node', ...args]);
    assert.ok(request.action === 'start');
    assert.deepEqual(request.options.exec, ['node', ...args]);
    assert.ok(Object.values(request.options).includes(value));
  });
});

t.test('every other command line is refused, with a message of one line', async (t) => {
  const words = [
    '--port=80',
    '--path=/a',
    '--interval=1',
    '--workers=auto',
    '--',
    'node',
    '--restart',
    '--status',
    '--pid-file=a',
    '--json',
    '--stop',
  ];
  holds(t, 'command lines', fc.array(textsLike(fc.constantFrom(...words)), { maxLength: 6 }), (args) => {
    const request = unlessRefused(() => readCommandLine(args), 'OPTION_INVALID');
    if (request?.action === 'start') unlessRefused(() => readStartOptions(request.options), 'OPTION_INVALID');
  });
});
