import { withPreload } from './preload-contract.js';
import { PRELOAD } from './preload-text.js';

/**
 * `NODE_OPTIONS` for a successor: the preload, and after it the options that the
 * program itself is run with. The preload is preload-program.ts, as the text that
 * the build made of it: a bundler or a coverage tool changes functions, so that
 * the text of a function would not run alone, but it leaves strings as they are.
 *
 * A data: URL, because worker threads load it again, when the files of the
 * release that it came from may be gone.
 */
export function optionsWithPreload(options: string | undefined): string {
  return withPreload(PRELOAD, options);
}
