import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT, filesOf, readSource } from '../support/sources.js';

const PAGE = readFileSync(join(ROOT, 'docs/logs.md'), 'utf8');
const SOURCES = ['lib', 'gracehttp'].flatMap(filesOf).map(readSource);
/** Text in which every value is the same, as a message of the page has other values than the source. */
const TEMPLATES = SOURCES.join('\n').replaceAll(/\$\{[^{}]*(\{[^{}]*\}[^{}]*)*\}/g, '…');

t.test('each part of the debug output is on the page', async (t) => {
  const parts = new Set(SOURCES.flatMap((source) => [...source.matchAll(/logger\('([\w-]+)'\)/g)].map(([, part]) => part!)));
  const named = new Set([...PAGE.matchAll(/`grace:([\w-]+)`/g)].map(([, part]) => part!));
  t.ok(parts.size > 10);
  t.strictSame([...named].sort(), [...parts].sort());
});

t.test('the messages on the page are those of the sources', async (t) => {
  const rows = PAGE.split('\n## ')[1]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const messages = rows.flatMap((row) => [...row.split(' | ')[0]!.matchAll(/`([^`]+)`/g)].map(([, message]) => message!));
  t.ok(messages.length > 20, `${messages.length} messages`);
  for (const message of messages)
    t.ok(
      longestWords(message).some((words) => TEMPLATES.includes(words)),
      message,
    );
});

/** The parts of a message that have no value in them: words of small letters, the longest first. */
function longestWords(message: string): string[] {
  const parts = message.split(/…|\d+|'\w+'|\bSIG\w+|\bGRACE_|public/).map((part) => part.trim());
  return parts.filter((part) => part.length > 5).sort((a, b) => b.length - a.length);
}

t.test('this check finds a message that does not exist', async (t) => {
  t.notOk(longestWords('SIGTERM never said: words that are not there').some((words) => TEMPLATES.includes(words)));
  t.strictSame(
    longestWords('draining 3 requests, up to 30 s'),
    ['requests, up to', 'draining'].filter((part) => part.length > 5),
  );
});
