import t from 'tap';
import { type Watched, stays } from '../../../lib/follow/following.js';
import { type GraceOptions, readOptions } from '../../../lib/options.js';

const SHELL: Watched = { pid: 42, systemd: false };
const NOTIFY: Watched = { pid: 42, systemd: true };
const CONTAINER: Watched = { pid: 1, systemd: false };

t.test('follow: whether the first process stays after a restart', async (t) => {
  const table: readonly (readonly [what: string, options: GraceOptions, watched: Watched, stays: boolean])[] = [
    ['auto: something watches its pid', {}, SHELL, true],
    ['auto: systemd is told the new main process', {}, NOTIFY, false],
    ['auto: a pid file names the process to watch', { pidFile: 'app.pid' }, SHELL, false],
    ['auto: PID 1', {}, CONTAINER, true],
    ['auto: PID 1 with a pid file', { pidFile: 'app.pid' }, CONTAINER, true],
    ['auto: the program ends the process itself', { exit: false }, SHELL, false],
    ['auto: PID 1 that the program ends itself', { exit: false }, CONTAINER, false],
    ['true', { follow: true, pidFile: 'app.pid' }, NOTIFY, true],
    ['false', { follow: false }, CONTAINER, false],
  ];
  for (const [what, options, watched, expected] of table) t.equal(stays(readOptions(options), watched), expected, what);
});
