import { Deadline } from './deadline.js';

/** Runs a hook of the program's. Rejects with what it throws, or where it is still at work at the deadline. */
export async function runHook(name: string, hook: () => unknown, deadline: Deadline): Promise<void> {
  const work = async (): Promise<void> => {
    await hook();
  };
  if ((await deadline.bound(work())) === 'passed') throw new Error(`${name} was still at work at the deadline`);
}
