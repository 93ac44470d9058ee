const FIRST_ANSWERS_MS = 5;

/** What `node:module` has from 22.1 and 22.10 on; not in the types of the oldest Node.js. */
interface CompileCache {
  getCompileCacheDir?(): string | undefined;
  flushCompileCache?(): void;
}

/**
 * Writes the compile cache soon, if the program has one (`NODE_COMPILE_CACHE`,
 * `module.enableCompileCache()`). Node.js writes it only when a process ends, and
 * the next process of a server starts before that.
 */
export function flushCompileCache(): void {
  // node:module takes a millisecond, for which the first clients would wait.
  setTimeout(flush, FIRST_ANSWERS_MS).unref();
}

function flush(): void {
  const { getCompileCacheDir, flushCompileCache: write } = process.getBuiltinModule('node:module') as CompileCache;
  if (getCompileCacheDir?.() !== undefined) write?.();
}
