/** The first clients come first. */
const AFTER_MS = 100;

/** Loads what a restart needs soon after the start, as it takes up to two milliseconds, for which the restart would wait. */
export function loadForRestart(): void {
  setTimeout(load, AFTER_MS).unref();
}

function load(): void {
  process.getBuiltinModule('node:child_process');
  // The first one loads the part of Node.js that makes them.
  crypto.randomUUID();
}
