import { resolve } from 'node:path';
import { type BindableAddress, type FdAddress, isWildcard, parseAddress, sameAddress } from '../../../lib/address/address.js';
import { type Asked } from './intercept.js';

/** An address that a server can have in the next generation again. */
export type ClaimableAddress = BindableAddress | FdAddress;

/**
 * The address that listen() asks for; undefined if it is another one in each
 * process: port 0, or a path with the pid in it.
 */
export function askedAddress({ address, port, fd }: Asked): ClaimableAddress | undefined {
  if (typeof fd === 'number') return { kind: 'fd', fd };
  if (port !== undefined) return port === 0 ? undefined : { kind: 'tcp', host: address ?? undefined, port };
  if (address === null || new RegExp(`(?<!\\d)${process.pid}(?!\\d)`).test(address)) return undefined;
  return { kind: 'unix', path: address.startsWith('\0') ? address : resolve(address) };
}

/**
 * Whether an address is one of `GRACE_LISTEN`. A port alone is that port of any interface.
 *
 * @param list - undefined for all addresses.
 */
export function isListed(address: ClaimableAddress, list: readonly string[] | undefined): boolean {
  return (
    list
      ?.map((text) => parseAddress(text))
      .some((listed) => {
        if (listed.kind === 'unix') return address.kind === 'unix' && sameAddress(address, { kind: 'unix', path: resolve(listed.path) });
        const isPort = listed.kind === 'tcp' && address.kind === 'tcp' && isWildcard(listed) && listed.port === address.port;
        return isPort || sameAddress(address, listed);
      }) ?? true
  );
}
