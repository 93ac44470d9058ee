import t from 'tap';
import { mistakesBetween, nearest } from '../../../lib/check/nearest.js';

const WORDS = ['drainTimeout', 'idleTimeout', 'drainDelay', 'maxConnections', 'name', 'mode', 'onShutdown'];

t.test('the word that was probably meant', async (t) => {
  const table: readonly (readonly [text: string, found: string | undefined])[] = [
    ['drainTimout', 'drainTimeout'],
    ['drainTimeuot', 'drainTimeout'],
    ['draintimeout', 'drainTimeout'],
    ['drain_timeout', 'drainTimeout'],
    ['idelTimeout', 'idleTimeout'],
    ['maxConnection', 'maxConnections'],
    ['onShutDown', 'onShutdown'],
    ['nmae', 'name'],
    ['mod', 'mode'],
    ['port', undefined],
    ['x', undefined],
    ['', undefined],
    ['connections', 'maxConnections'],
  ];
  for (const [text, found] of table) t.equal(nearest(text, WORDS), found, `${text}: ${found}`);
  t.equal(nearest('a', []), undefined);
});

t.test('mistakes between two words', async (t) => {
  const table: readonly (readonly [string, string, number])[] = [
    ['', '', 0],
    ['abc', 'abc', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['abc', 'abd', 1],
    ['abc', 'abcd', 1],
    ['abcd', 'acd', 1],
    ['abcd', 'acbd', 1],
    ['ab', 'ba', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, count] of table) t.equal(mistakesBetween(a, b), count, `${a} and ${b}`);
});
