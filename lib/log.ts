import debug from 'debug';

/** Debug output under `grace:<part>`, shown where the variable `DEBUG` asks for it. */
export function logger(part: string): debug.Debugger {
  return debug(`grace:${part}`);
}

/**
 * Something an operator should see even without `DEBUG`. Goes the way of Node's
 * own warnings: to stderr, or to whoever listens to `process.on('warning')`.
 */
export function warn(message: string): void {
  process.emitWarning(message, 'GraceWarning');
}
