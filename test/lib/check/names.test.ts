import t from 'tap';
import { refuseUnknown } from '../../../lib/check/names.js';
import { fails } from '../../support/errors.js';

const names = ['name', 'limit'];
const elsewhere = { names: ['timeout'], write: (name: string) => `there({ ${name} })` };

t.test('known names, and what is not an object, are accepted', async (t) => {
  for (const options of [{}, { name: 1 }, { name: 1, limit: undefined }, undefined, null, 5, 'text']) {
    t.doesNotThrow(() => refuseUnknown({ options, where: 'here()', names }), String(options));
  }
});

t.test('the message says what to write instead', async (t) => {
  const table: readonly (readonly [options: object, name: string, message: string])[] = [
    [{ nmae: 5 }, 'nmae', 'here() has no option nmae: did you mean name?'],
    [{ name: 1, timeout: 5 }, 'timeout', 'here() has no option timeout: it belongs elsewhere, write there({ timeout })'],
    [{ timout: 5 }, 'timout', 'here() has no option timout: did you mean timeout? That belongs elsewhere, write there({ timeout })'],
    [{ zzz: 5 }, 'zzz', 'here() has no option zzz: expected one of name, limit'],
  ];
  for (const [options, name, message] of table) {
    const facts = { code: 'OPTION_INVALID', subject: `x.${name}`, value: 5 } as const;
    const error = await fails(t, () => refuseUnknown({ options, where: 'here()', names, prefix: 'x.' }, [elsewhere]), facts, name);
    t.equal(error.message, message);
  }
});
