let leave = (code: number): void => process.exit(code);

/** Ends this process, with this library's exit code. */
export function exit(code: number): void {
  leave(code);
}

/** Sets how {@link exit} ends the process, for the case that `process.exit` has been replaced. */
export function exitBy(way: (code: number) => void): void {
  leave = way;
}
