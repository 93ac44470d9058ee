import t from 'tap';
import {
  type GenerationMessage,
  type SignalMessage,
  formatFollowMessage,
  parseGenerationMessage,
  parseSignalMessage,
} from '../../../lib/follow/messages.js';

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
