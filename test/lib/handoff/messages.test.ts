import t from 'tap';
import {
  type PredecessorMessage,
  type SuccessorMessage,
  formatMessage,
  parsePredecessorMessage,
  parseSuccessorMessage,
} from '../../../lib/handoff/messages.js';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds } from '../../support/properties/holds.js';
import { count, json, object, record, textsLike } from '../../support/properties/values.js';

t.test('a message is one line, and is read as it was written', async (t) => {
  const fromPredecessor: PredecessorMessage[] = [
    { type: 'hello', nonce: 'n', state: { a: 'two\nlines', b: [1] } },
    { type: 'hello', nonce: 'n', state: {}, acknowledges: true },
    { type: 'yours', nonce: 'n' },
    { type: 'restart' },
    { type: 'news', key: 'k', value: [1] },
  ];
  const fromSuccessor: SuccessorMessage[] = [
    { type: 'started', pid: 10 },
    { type: 'starting', nonce: 'n' },
    { type: 'stderr', text: 'two\nlines' },
    { type: 'exit', code: 7 },
    { type: 'ready', nonce: 'n', pid: 10, kept: [3, 4] },
    { type: 'ready', nonce: 'n', pid: 10, kept: [] },
    { type: 'ready', nonce: 'n', pid: 10, kept: [3], waits: true },
    { type: 'serving', nonce: 'n' },
    { type: 'ask', key: 'k', value: [1] },
  ];
  for (const message of [...fromPredecessor, ...fromSuccessor]) {
    const line = formatMessage(message);
    t.equal(line.indexOf('\n'), line.length - 1, `${message.type} is one line`);
  }
  for (const message of fromPredecessor) {
    t.strictSame(parsePredecessorMessage(formatMessage(message)), message);
    t.equal(parseSuccessorMessage(formatMessage(message)), undefined, `${message.type} is not a message of a successor`);
  }
  for (const message of fromSuccessor) {
    t.strictSame(parseSuccessorMessage(formatMessage(message)), message);
    t.equal(parsePredecessorMessage(formatMessage(message)), undefined, `${message.type} is not a message of a predecessor`);
  }
});

t.test('other lines are ignored', async (t) => {
  const lines = [
    '',
    'x',
    '{',
    'null',
    '[]',
    '1',
    '{}',
    '{"type":1}',
    '{"type":"later"}',
    '{"type":"hello"}',
    '{"type":"hello","nonce":1}',
    '{"type":"stderr"}',
    '{"type":"stderr","text":1}',
    '{"type":"exit"}',
    '{"type":"exit","code":-1}',
    '{"type":"exit","code":"1"}',
    '{"type":"started"}',
    '{"type":"started","pid":0}',
    '{"type":"starting"}',
    '{"type":"starting","nonce":1}',
    '{"type":"news"}',
    '{"type":"ask"}',
    '{"type":"ready"}',
    '{"type":"ready","nonce":"n"}',
    '{"type":"ready","nonce":"n","pid":1}',
    '{"type":"ready","nonce":"n","pid":1,"kept":3}',
    '{"type":"ready","nonce":"n","pid":1,"kept":["3"]}',
    '{"type":"ready","pid":1,"kept":[]}',
    '{"type":"ready","nonce":"n","pid":-1,"kept":[]}',
  ];
  for (const line of lines) {
    t.equal(parsePredecessorMessage(line), undefined, `from a predecessor: ${line}`);
    t.equal(parseSuccessorMessage(line), undefined, `from a successor: ${line}`);
  }
  t.strictSame(parsePredecessorMessage('{"type":"hello","nonce":"n","state":1}'), { type: 'hello', nonce: 'n', state: {} });
});

const type = <T extends string>(value: T): fc.Arbitrary<T> => fc.constant(value);
const yes = fc.constant(true as const);
const nonce = fc.string();
const keyed = { key: fc.string(), value: json };
const fromPredecessor: fc.Arbitrary<PredecessorMessage> = fc.oneof(
  object({ type: type('hello'), nonce, state: record, acknowledges: yes, watches: yes }, { requiredKeys: ['type', 'nonce', 'state'] }),
  object({ type: type('yours'), nonce }),
  object({ type: type('restart') }),
  object({ type: type('news'), ...keyed }),
);
const fromSuccessor: fc.Arbitrary<SuccessorMessage> = fc.oneof(
  object({ type: type('started'), pid: count.filter((pid) => pid > 0) }),
  object({ type: type('starting'), nonce }),
  object({ type: type('stderr'), text: fc.string() }),
  object({ type: type('exit'), code: count }),
  object(
    { type: type('ready'), nonce, pid: count, kept: fc.array(count), waits: yes, takes: fc.array(fc.string()) },
    { requiredKeys: ['type', 'nonce', 'pid', 'kept'] },
  ),
  object({ type: type('serving'), nonce, returns: fc.array(count) }, { requiredKeys: ['type', 'nonce'] }),
  object({ type: type('ask'), ...keyed }),
);

t.test('every message is read as it was written, and every other line is ignored', async (t) => {
  for (const [who, messages, parse] of [
    ['a predecessor', fromPredecessor, parsePredecessorMessage],
    ['a successor', fromSuccessor, parseSuccessorMessage],
  ] as const) {
    holds(t, `messages of ${who}`, messages as fc.Arbitrary<PredecessorMessage | SuccessorMessage>, (message) => {
      const line = formatMessage(message);
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.deepEqual({ ...parse(line) }, { ...message });
    });
    holds(t, `lines of ${who}`, textsLike((messages as fc.Arbitrary<PredecessorMessage | SuccessorMessage>).map(formatMessage)), (line) => {
      const read = parse(line);
      if (read !== undefined) assert.deepEqual(parse(formatMessage(read)), read);
    });
  }
});
