import t from 'tap';
import { parseDuration } from '../../demo/duration.js';

const good: readonly (readonly [text: string, milliseconds: number])[] = [
  ['0', 0],
  ['0s', 0],
  ['0ms', 0],
  ['1ms', 1],
  ['300ms', 300],
  ['20s', 20_000],
  ['1.5s', 1_500],
  ['0.25s', 250],
  ['1m', 60_000],
  ['1m30s', 90_000],
  ['1m0.5s250ms', 60_750],
  ['30s1m', 90_000],
  ['1s1s', 2_000],
  ['2147483647ms', 2_147_483_647],
];
for (const [text, milliseconds] of good) t.equal(parseDuration(text), milliseconds, text);

const bad = [
  '', ' ', '1', '00', '20', 's', 'ms', '-1s', '+1s', '1 s', ' 1s', '1s ', '1s\n', '1S', '1M', '1h', '1us', '1d', '.5s', '1.s', '1..5s',
  '1.5.5s', '1e3ms', '1m30', '30s 1m', '1s,1s', 'Infinity', 'NaN', 'abc', '0x1s', '١s', '2147483648ms', '1000000m', `${'9'.repeat(400)}s`,
];
for (const text of bad) t.equal(parseDuration(text), undefined, `${JSON.stringify(text).slice(0, 30)} is none`);
