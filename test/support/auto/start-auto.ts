import { type Test } from 'tap';
import { isAlive } from '../proc.js';
import { type Program, fixture, start } from '../program.js';
import { waitUntil } from '../wait.js';

/** Starts the program that knows nothing of ts-grace, by `node --import ts-grace/auto`. */
export function startAuto(t: Test, options: object, env: Readonly<Record<string, string>> = {}): Program {
  return start(t, fixture('auto/program'), {
    nodeArgs: ['--import', 'ts-grace/auto'],
    args: [JSON.stringify(options)],
    env: { GRACE_FOLLOW: 'false', GRACE_PROBATION: '0', ...env },
  });
}

/** Restarts a program, and waits until the old process is gone. */
export async function restart(program: Program): Promise<number> {
  const old = program.serving;
  const count = program.all('ready').length;
  process.kill(old, 'SIGUSR2');
  await program.announced('ready', count + 1);
  await waitUntil(
    'the end of the old process',
    () => program.all('exit').some(({ pid }) => pid === old) && !isAlive(old),
    () => program.report(),
  );
  return program.serving;
}
