/**
 * Loads a package where it is needed, and not before: a successor's start is
 * measured in milliseconds. For the same reason some of Node's own modules are
 * asked for by process.getBuiltinModule() here and there: an import statement
 * costs a quarter of a millisecond for each.
 */
export function requirePackage<T>(name: string): T {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(import.meta.url)(name) as T;
}
