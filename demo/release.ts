/** How the next release of the demo behaves, for the buttons of the page. */
export const RELEASES = ['good', 'broken', 'dying'] as const;
export type Release = (typeof RELEASES)[number];

/** By which a process is told which release it is. */
const VARIABLE = 'DEMO_RELEASE';
const DIES_AFTER_MS = 1_500;

/** The variables for a process that is to be this release. A good one has none, whatever its predecessor was. */
export function environmentOf(release: Release): Record<string, string | undefined> {
  return { [VARIABLE]: release === 'good' ? undefined : release };
}

/** Exits if this process is a release that cannot start. */
export function exitIfBroken(): void {
  if (process.env[VARIABLE] !== 'broken') return;
  console.error('This release is broken: it cannot read its configuration.');
  process.exit(1);
}

/** Ends this process by an uncaught error soon, if it is a release that dies after it is ready. */
export function dieIfDying(): void {
  if (process.env[VARIABLE] !== 'dying') return;
  setTimeout(() => {
    throw new Error('this release was ready, and died on one of its first requests');
  }, DIES_AFTER_MS).unref();
}
