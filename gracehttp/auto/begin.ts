import { isThread, markChildren } from './alone.js';
import { Claims } from './claims.js';
import { holdSignals } from './hold-signals.js';
import { interceptListen } from './intercept-listen.js';
import { readSettings } from './settings.js';

let begun = false;

/**
 * From now on, servers of this program are handed over and drained. It is called
 * when `ts-grace/auto` is imported; a second call does nothing. Worker threads stay alone.
 *
 * @throws GraceError `OPTION_INVALID` for a `GRACE_…` variable or the key `grace`
 * of package.json; `RUNTIME_UNSUPPORTED`.
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

begin();
