import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatStatus } from '../../../starter/cli/format-status.js';
import { type ServerStatus, StatusFile, readGenerations, readStatus } from '../../../starter/control/status-file.js';
import fc from 'fast-check';
import { holds } from '../../support/properties/holds.js';
import { object, textsLike } from '../../support/properties/values.js';
import { scratch } from '../../support/scratch.js';

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const worker = object({
  generation: fc.nat(),
  pid: fc.nat(),
  worker: fc.nat(),
  state: fc.constantFrom('starting' as const, 'serving' as const, 'draining' as const),
  startedAt: fc.nat(),
  restarts: fc.nat(),
});
const status: fc.Arbitrary<ServerStatus> = object({
  pid: fc.nat(),
  startedAt: fc.nat(),
  generation: fc.nat(),
  failedStarts: fc.nat(),
  failuresInRow: fc.nat(),
  lastFailure: optional(fc.nat()),
  lastFailureReason: optional(fc.string()),
  lastOutput: optional(fc.string()),
  upgrades: fc.nat(),
  upgradeFailure: optional(fc.string()),
  deploying: fc.boolean(),
  workers: fc.array(worker, { maxLength: 3 }),
});
const withoutUndefined = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

t.test('every status is read as it was written', async (t) => {
  const path = join(scratch(t), 'status');
  const file = new StatusFile(path);
  file.create();
  holds(t, 'statuses', status, (value) => {
    file.write(value);
    assert.deepEqual(withoutUndefined(readStatus(path)), withoutUndefined(value));
    const up = value.workers.filter(({ state }) => state !== 'starting');
    assert.deepEqual(
      readGenerations(path),
      up.map(({ generation, pid }) => ({ generation, pid })),
    );
  });
});

t.test('every other content counts as no status', async (t) => {
  const path = join(scratch(t), 'status');
  holds(
    t,
    'contents',
    fc.tuple(textsLike(fc.constant('1:5\n2:6\n')), textsLike(status.map((value) => JSON.stringify(value)))),
    ([lines, json]) => {
      writeFileSync(path, lines);
      writeFileSync(`${path}.json`, json);
      readGenerations(path);
      const read = readStatus(path);
      if (read !== undefined) formatStatus(read, Date.now());
    },
  );
  for (const json of ['null', '5', '[]', '{}', '{"workers":5}', '{"pid":1,"workers":[null]}']) {
    writeFileSync(`${path}.json`, json);
    t.equal(readStatus(path), undefined, json);
  }
});
