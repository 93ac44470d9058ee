import t from 'tap';
import { holdExit } from '../../../../gracehttp/auto/hold/exit.js';
import { holdKill } from '../../../../gracehttp/auto/hold/kill.js';
import { exit, exitBy } from '../../../../lib/signals/exit.js';

t.test('process.exit() and a signal to itself wait while the process drains', async (t) => {
  const { exit: nativeExit, kill: nativeKill } = process;
  const exits: unknown[] = [];
  const kills: unknown[] = [];
  process.exit = ((code?: unknown) => exits.push(code)) as unknown as typeof process.exit;
  process.kill = ((...args: unknown[]) => kills.push(args) > 0) as typeof process.kill;
  t.teardown(() => {
    Object.assign(process, { exit: nativeExit, kill: nativeKill });
    exitBy((code) => process.exit(code));
  });
  const asked: unknown[] = [];
  let drains = false;
  holdExit({ holds: () => drains, onAsked: (code) => asked.push(code), codeFor: (code) => code + 40 });
  holdKill({ holds: (signal) => drains && signal === 'SIGTERM', onAsked: () => asked.push('signal') });

  process.exit(5);
  process.kill(process.pid, 'SIGTERM');
  t.strictSame([exits, kills, asked], [[5], [[process.pid, 'SIGTERM']], []], 'they do what they always do');

  drains = true;
  process.exit(6);
  process.exit();
  process.exit('3' as unknown as number);
  process.kill(process.pid);
  t.strictSame(asked, [6, 0, 3, 'signal'], 'they only ask');
  process.kill(process.pid, 'SIGHUP');
  process.kill(process.ppid, 'SIGTERM');
  t.strictSame(kills.slice(1), [
    [process.pid, 'SIGHUP'],
    [process.ppid, 'SIGTERM'],
  ]);
  exit(2);
  t.strictSame(exits.slice(1), [42], 'this library exits itself, with the code for both');
});
