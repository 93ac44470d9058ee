import t from 'tap';
import {
  type GenerationMessage,
  type SignalMessage,
  formatFollowMessage,
  parseGenerationMessage,
  parseSignalMessage,
} from '../../../lib/follow/messages.js';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds } from '../../support/properties/holds.js';
import { count, object, textsLike } from '../../support/properties/values.js';

t.test('a message is one line, and is read as it was written', async (t) => {
  const fromGeneration: GenerationMessage[] = [
    { type: 'serving', pid: 10 },
    { type: 'exit', pid: 10, code: 7 },
  ];
  const fromFirst: SignalMessage[] = [
    { type: 'signal', signal: 'SIGTERM', self: true },
    { type: 'signal', signal: 'SIGUSR2', self: false },
  ];
  for (const message of fromGeneration) {
    const line = formatFollowMessage(message);
    t.equal(line.indexOf('\n'), line.length - 1);
    t.strictSame(parseGenerationMessage(line), message);
    t.equal(parseSignalMessage(line), undefined);
  }
  for (const message of fromFirst) {
    t.strictSame(parseSignalMessage(formatFollowMessage(message)), message);
    t.equal(parseGenerationMessage(formatFollowMessage(message)), undefined);
  }
});

t.test('other lines are ignored', async (t) => {
  const lines = [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"type":"later","pid":1}',
    '{"type":"serving"}',
    '{"type":"serving","pid":"1"}',
    '{"type":"exit","pid":1}',
    '{"type":"exit","pid":1,"code":-1}',
    '{"type":"signal"}',
    '{"type":"signal","signal":15}',
    '{"type":"signal","signal":"TERM"}',
    '{"type":"signal","signal":"SIG-TERM"}',
  ];
  for (const line of lines) {
    t.equal(parseGenerationMessage(line), undefined, `from a generation: ${line}`);
    t.equal(parseSignalMessage(line), undefined, `from the first process: ${line}`);
  }
});

t.test('every message is read as it was written, and every other line is ignored', async (t) => {
  const generation = fc.oneof(
    object({ type: fc.constant('serving' as const), pid: count }),
    object({ type: fc.constant('exit' as const), pid: count, code: count }),
  );
  const signal = object({
    type: fc.constant('signal' as const),
    signal: fc.constantFrom('SIGTERM' as const, 'SIGUSR2' as const),
    self: fc.boolean(),
  });
  holds(t, 'messages of generations', generation, (message) =>
    assert.deepEqual(parseGenerationMessage(formatFollowMessage(message)), { ...message }),
  );
  holds(t, 'signals', signal, (message) => assert.deepEqual(parseSignalMessage(formatFollowMessage(message)), { ...message }));
  holds(t, 'lines', textsLike(fc.oneof(generation, signal).map((message) => formatFollowMessage(message))), (line) => {
    for (const read of [parseGenerationMessage(line), parseSignalMessage(line)]) {
      if (read !== undefined)
        assert.ok([parseGenerationMessage, parseSignalMessage].some((parse) => parse(formatFollowMessage(read)) !== undefined));
    }
  });
});
