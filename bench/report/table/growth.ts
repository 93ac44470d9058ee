import { saysMemory } from '../../peers/results/growth-result.js';
import { type Results } from '../../peers/results/results.js';
import { grouped, short, table } from './markdown.js';

const MIB = 2 ** 20;

export function growthTables({ growth }: Results): string {
  if (growth === undefined) return '';
  const { listeners, idle, busy } = growth;
  const beside = (ours: number, bare: number): string => `${short(ours)} (${short(bare)})`;
  const listenerRows = listeners.map((found) => [
    grouped(found.count),
    beside(found.start, found.bareStart),
    short(found.restart),
    beside(found.stop, found.bareStop),
    beside(found.resident / MIB, found.bareResident / MIB),
  ]);
  const idleRows = idle.map((found) => [
    grouped(found.count),
    ...(saysMemory(found) ? [beside(found.resident, found.bareResident), beside(found.heap, found.bareHeap)] : ['–', '–']),
    short(found.restart),
    short(found.allMoved),
    short(found.restartStall),
    beside(found.drain, found.bareDrain),
    beside(found.drainStall, found.bareDrainStall),
    `${found.lost}, ${found.reconnects}`,
  ]);
  const { connections, bareP50, bareP99, p50, p99, restartP50, restartP99, lost, reconnects } = busy;
  return [
    table(['listeners', 'start, ms', 'restart, ms', 'stop, ms', 'memory, MiB'], listenerRows),
    table(
      [
        'idle connections',
        'memory each, bytes',
        'heap each, bytes',
        'restart, ms',
        'all moved, ms',
        'longest block in it, ms',
        'drain, ms',
        'longest block in it, ms',
        'lost, reconnects',
      ],
      idleRows,
    ),
    table(
      [`${grouped(connections)} busy connections`, 'p50, ms', 'p99, ms'],
      [
        ['bare server', short(bareP50), short(bareP99)],
        ['ts-grace', short(p50), short(p99)],
        ['ts-grace, in the two seconds from a restart on', short(restartP50), short(restartP99)],
      ],
    ),
    `In that restart ${lost} requests were lost, and ${reconnects} connections were opened again.`,
  ].join('\n\n');
}
