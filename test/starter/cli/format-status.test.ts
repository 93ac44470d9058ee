import t from 'tap';
import { formatStatus } from '../../../starter/cli/format-status.js';
import { type WorkerStatus } from '../../../starter/control/status-file.js';

const NOW = 1_000_000_000;
const server = {
  pid: 1,
  startedAt: 0,
  generation: 2,
  failedStarts: 0,
  failuresInRow: 0,
  upgrades: 0,
  lastFailure: undefined,
  deploying: false,
};
const worker = { generation: 2, pid: 4107, worker: 1, state: 'serving', startedAt: NOW, restarts: 0 } as const;

function table(...workers: WorkerStatus[]): string[] {
  return formatStatus({ ...server, workers }, NOW).split('\n');
}

t.test('columns are as wide as their widest cell', async (t) => {
  t.same(table({ ...worker, state: 'draining', generation: 1, pid: 98 }, worker), [
    'generation  pid   worker  state     age  restarts',
    '1           98    1       draining  0s   0',
    '2           4107  1       serving   0s   0',
  ]);
});

t.test('an age has at most two units', async (t) => {
  const ages = { '0s': 0, '40s': 40_999, '2m 5s': 125_000, '2h 5m': 7_500_000, '3d': 259_200_000 };
  for (const [text, age] of Object.entries(ages)) t.match(table({ ...worker, startedAt: NOW - age })[1], ` ${text} `, text);
});

t.test('a dash stands for what is unknown', async (t) => {
  t.equal(table({ ...worker, worker: NaN, startedAt: NaN, restarts: NaN })[1], '2           4107  -       serving  -    -');
});
