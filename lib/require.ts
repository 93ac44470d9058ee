/**
 * Loads a package at the moment when it is needed: the start of a successor is
 * measured in milliseconds. For the same reason this library takes rarely used
 * built-in modules from process.getBuiltinModule(): each import statement costs
 * a quarter of a millisecond.
 */
export function requirePackage<T>(name: string): T {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(import.meta.url)(name) as T;
}
