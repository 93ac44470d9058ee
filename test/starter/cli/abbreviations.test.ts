import t from 'tap';
import { expandOptions } from '../../../starter/cli/abbreviations.js';

const NAMES = new Map([
  ['port', true],
  ['path', true],
  ['pid-file', true],
  ['status-file', true],
  ['status', false],
  ['start-timeout', true],
  ['workers', true],
  ['stop', false],
]);

t.test('options as Getopt::Long of Perl reads them', async (t) => {
  for (const [given, expected] of [
    [['--port=80'], ['--port=80']],
    [['-port=80'], ['--port=80']],
    [
      ['--PORT', '80'],
      ['--port', '80'],
    ],
    [
      ['--po=80', '--pi', 'file'],
      ['--port=80', '--pid-file', 'file'],
    ],
    [['--stat=file'], ['--status-file=file']],
    [['--status'], ['--status']],
    [
      ['--work=2', '--start=3'],
      ['--workers=2', '--start-timeout=3'],
    ],
    [
      ['--pid-file', '-port'],
      ['--pid-file', '-port'],
    ],
    [
      ['--stop', '--', 'node', '-port=80'],
      ['--stop', '--', 'node', '-port=80'],
    ],
    [
      ['--nothing', '-', '-5', '--po=a=b\nc'],
      ['--nothing', '-', '-5', '--port=a=b\nc'],
    ],
  ] as const) {
    t.same(expandOptions(given, NAMES), expected, given.join(' '));
  }
});

t.test('an abbreviation that can mean several options is an error that lists them', async (t) => {
  t.throws(() => expandOptions(['--p=80'], NAMES), {
    code: 'OPTION_INVALID',
    message: /^option --p is ambiguous: --port, --path, --pid-file$/,
  });
});
