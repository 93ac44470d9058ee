import { type Service } from './service.js';

const UNITS = ['request', 'connection'] as const;

/** What a drain would wait for, or what it cut off: `2 requests`, `1 request and 3 connections`, `no request`. */
export function describeInFlight(counts: readonly { readonly unit: Service['unit']; readonly count: number }[]): string {
  const parts = UNITS.flatMap((unit) => {
    const sum = counts.filter((entry) => (entry.unit ?? 'connection') === unit).reduce((total, { count }) => total + count, 0);
    return sum === 0 ? [] : [`${sum} ${unit}${sum === 1 ? '' : 's'}`];
  });
  return parts.length === 0 ? 'no request' : parts.join(' and ');
}
