import { GraceError } from '../../lib/errors.js';
import { isThread, markChildren } from './alone.js';
import { Claims } from './claims.js';
import { holdSignals } from './hold/signals.js';
import { interceptListen } from './listen/intercept.js';
import { readSettings } from './options/settings.js';

let begun = false;

/**
 * From now on, servers of this program are handed over and drained. It is called
 * when `ts-grace/auto` is imported; a second call does nothing. Worker threads stay alone.
 *
 * @throws GraceError `OPTION_INVALID` for a `GRACE_…` variable or the key `grace`
 * of package.json; `RUNTIME_UNSUPPORTED`.
 *
 * @example
 * import 'ts-grace/auto';
 * import http from 'node:http';
 *
 * http.createServer((request, response) => response.end('hello\n')).listen(8080);
 */
export function begin(): void {
  if (begun || isThread()) return;
  begun = true;
  const settings = readSettings();
  markChildren();
  const claims = new Claims(settings);
  holdSignals();
  interceptListen((server, listen, asked) => claims.listen(server, listen, asked));
}

try {
  begin();
} catch (error) {
  // The place in the code does not help to find a wrong variable.
  if (!(error instanceof GraceError)) throw error;
  process.stderr.write(`ts-grace: ${error.message}\n`);
  process.exit(1);
}
