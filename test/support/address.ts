/** The port of an address as an app prints it: `[::]:8080`. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
