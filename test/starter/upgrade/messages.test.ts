import assert from 'node:assert/strict';
import t from 'tap';
import { formatLine } from '../../../lib/handoff/json.js';
import { type UpgradeMessage, parseMessage } from '../../../starter/upgrade/messages.js';
import fc from 'fast-check';
import { holds } from '../../support/properties/holds.js';
import { count, object, textsLike } from '../../support/properties/values.js';

const bound = fc.oneof(
  object({ kind: fc.constant('tcp' as const), host: fc.string(), port: count }),
  object({ kind: fc.constant('unix' as const), path: fc.string() }),
);
const socket = object({
  fd: count,
  label: fc.string(),
  name: fc.string(),
  kind: fc.constantFrom('stream' as const, 'datagram' as const),
  bound,
});
const worker = object({
  pid: count,
  startTime: fc.string(),
  generation: count,
  number: count,
  startedAt: count,
  nonce: fc.string(),
  sent: fc.array(fc.constantFrom('SIGTERM' as const, 'SIGHUP' as const)),
});
const counted = object({
  startedAt: count,
  failedStarts: count,
  failuresInRow: count,
  upgrades: count,
  lastFailure: fc.option(count, { nil: undefined }),
});
const message: fc.Arbitrary<UpgradeMessage> = fc.oneof(
  object({ type: fc.constant('hello' as const), version: count, pid: count, sockets: fc.array(socket) }),
  object({ type: fc.constant('yours' as const), generation: count, counted, restarts: fc.array(count), workers: fc.array(worker) }),
  object({ type: fc.constantFrom('started' as const, 'ready' as const, 'serving' as const), pid: count }),
  object({ type: fc.constant('failed' as const), reason: fc.string() }),
);
const withoutUndefined = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

t.test('every message is read as it was written, and every other line is ignored', async (t) => {
  holds(t, 'messages', message, (value) => assert.deepEqual(parseMessage(formatLine(value)), withoutUndefined(value)));
  holds(t, 'lines', textsLike(message.map(formatLine)), (line) => {
    const read = parseMessage(line);
    if (read !== undefined) assert.deepEqual(parseMessage(formatLine(read)), read);
  });
  for (const line of [
    '',
    'null',
    '{}',
    '{"type":"later"}',
    '{"type":"yours"}',
    '{"type":"hello","version":1}',
    '{"type":"ready"}',
    '{"type":"failed"}',
  ]) {
    t.equal(parseMessage(line), undefined, line);
  }
});
