import assert from 'node:assert/strict';
import t from 'tap';
import { readFromNewcomer, readFromStandby, readTerms } from '../../../lib/probation/messages.js';
import fc from 'fast-check';
import { holds } from '../../support/properties/holds.js';
import { anything, json } from '../../support/properties/values.js';

t.test('every message is read as it was written', async (t) => {
  for (const message of [{ type: 'beat' }, { type: 'over' }, { type: 'fail', reason: 'x' }])
    t.strictSame(readFromNewcomer(message), message);
  for (const message of [{ type: 'accepts' }, { type: 'released' }]) t.strictSame(readFromStandby(message), message);
  t.strictSame(readTerms({ time: 5, hang: 0 }), { time: 5, hang: 0 });
  t.equal(readTerms({ time: 0, hang: 5 }), undefined, 'no time: no probation');
});

t.test('every other value is ignored', async (t) => {
  const fields = fc.dictionary(
    fc.constantFrom('type', 'reason', 'time', 'hang'),
    fc.oneof(json, fc.constantFrom('beat', 'fail', 'accepts', 5)),
  );
  holds(t, 'values', fc.oneof(anything, fields), (value) => {
    for (const read of [readFromNewcomer, readFromStandby, readTerms]) {
      const message = read(value);
      if (message !== undefined) assert.deepEqual(read(message), message);
    }
  });
});
