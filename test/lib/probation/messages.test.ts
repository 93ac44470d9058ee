import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { readFromNewcomer, readFromStandby, readTerms } from '../../../lib/probation/messages.js';
import { holds } from '../../support/properties/holds.js';
import { anything, json } from '../../support/properties/values.js';

t.test('the terms that the old process leaves', async (t) => {
  t.strictSame(readTerms({ time: 5, hang: 0, new: 1 }), { time: 5, hang: 0 });
  for (const value of [undefined, null, 5, {}, { time: 0, hang: 1 }, { time: 1 }, { time: -1, hang: 1 }, { time: '1', hang: 1 }]) {
    t.equal(readTerms(value), undefined, JSON.stringify(value));
  }
});

t.test('what the new process says', async (t) => {
  t.strictSame(readFromNewcomer({ type: 'beat', more: 1 }), { type: 'beat' });
  t.strictSame(readFromNewcomer({ type: 'over' }), { type: 'over' });
  t.strictSame(readFromNewcomer({ type: 'fail', reason: 'broken' }), { type: 'fail', reason: 'broken' });
  for (const value of [undefined, null, 'beat', {}, { type: 'later' }, { type: 'fail' }, { type: 'fail', reason: 5 }]) {
    t.equal(readFromNewcomer(value), undefined, JSON.stringify(value));
  }
});

t.test('what the old process says', async (t) => {
  t.strictSame(readFromStandby({ type: 'accepts' }), { type: 'accepts' });
  t.strictSame(readFromStandby({ type: 'released' }), { type: 'released' });
  for (const value of [undefined, null, 'accepts', {}, { type: 'later' }])
    t.equal(readFromStandby(value), undefined, JSON.stringify(value));
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
