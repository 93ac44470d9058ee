/** What `node:module` has from 22.1 and 22.10 on; not in the types of the oldest Node.js. */
interface CompileCache {
  getCompileCacheDir?(): string | undefined;
  flushCompileCache?(): void;
}

/**
 * Writes the compile cache now, if the program has one (`NODE_COMPILE_CACHE`,
 * `module.enableCompileCache()`). Node.js writes it only when a process ends, and
 * the next process of a server starts before that.
 */
export function flushCompileCache(): void {
  const { getCompileCacheDir, flushCompileCache: flush } = process.getBuiltinModule('node:module') as CompileCache;
  if (getCompileCacheDir?.() !== undefined) flush?.();
}
