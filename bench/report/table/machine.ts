import { type Results } from '../../peers/results/results.js';

/** What the figures were measured with. */
export function machineText({ machine, systems }: Results): string {
  const { cores, memoryGiB, kernel, node, processor, date } = machine;
  const counts = Object.values(systems).map(({ turns }) => turns.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const turns = most === 1 ? 'One restart' : `Medians of ${least === most ? most : `${least} to ${most}`} restarts`;
  const version = (name: string, title: string): string[] => (systems[name] === undefined ? [] : [`${title} ${systems[name].version}`]);
  const versions = [
    `Node.js ${node.slice(1)}`,
    ...version('pm2', 'PM2'),
    ...version('tableflip', 'tableflip'),
    ...version('nginx', 'nginx'),
  ];
  return `${turns}, on ${date}: ${cores} cores (${processor}), ${memoryGiB} GiB, ${kernel}; ${versions.join('; ')}.`;
}
