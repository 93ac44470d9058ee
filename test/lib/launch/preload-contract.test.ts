import t from 'tap';
import { withPreload, withoutPreload } from '../../../lib/launch/preload-contract.js';

const MODULE = 'console.log("a b", \'c\', `\\\\ %`)';

t.test('the options come back as they were', async (t) => {
  for (const options of [undefined, '--max-old-space-size=100', '--import "data:text/javascript,0" --inspect', '--require "/a b.js"']) {
    t.equal(withoutPreload(withPreload(MODULE, options)), options);
  }
});

t.test('options without the preload stay as they are', async (t) => {
  for (const options of [undefined, '', '--inspect', '--import ./x.mjs']) t.equal(withoutPreload(options), options);
});
