import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** cgroup v2, and v1. */
const QUOTA_FILES = ['/sys/fs/cgroup/cpu.max', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us'];
const V1_PERIOD = '/sys/fs/cgroup/cpu/cpu.cfs_period_us';

/**
 * How many processors this process may use: those that taskset(1) leaves it, or
 * fewer if a container has a quota (`docker run --cpus=1.5` counts as 2).
 */
export function usableProcessors(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(quota())));
}

function quota(): number {
  const [limit = 'max', period = read(V1_PERIOD)] = (QUOTA_FILES.map(read).find((text) => text !== '') ?? '').split(' ');
  const processors = Number(limit) / Number(period);
  return processors > 0 ? processors : Infinity;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
