import t from 'tap';
import { isForeign } from '../../demo/same-origin.js';

t.test('only pages of this server are not foreign, and programs that are no browser', async (t) => {
  const host = 'localhost:48567';
  const cases = [
    [{ host }, false],
    [{ host, origin: 'http://localhost:48567' }, false],
    [{ host, origin: 'https://localhost:48567' }, false],
    [{ host, origin: 'http://localhost:48568' }, true],
    [{ host, origin: 'http://example.org' }, true],
    [{ host, origin: 'null' }, true],
    [{ host, origin: '' }, true],
    [{ origin: 'http://localhost:48567' }, true],
  ] as const;
  for (const [headers, expected] of cases) t.equal(isForeign({ headers }), expected, JSON.stringify(headers));
});
