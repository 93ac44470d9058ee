import { type Results } from '../peers/results/results.js';
import { between } from './markers.js';
import { growthTables } from './table/growth.js';
import { machineText } from './table/machine.js';
import { peersTable } from './table/peers.js';
import { systemsTables } from './table/systems.js';

/** A page of the documents, some parts of which are made from the results. */
export interface Page {
  readonly path: string;
  readonly render: (page: string, results: Results) => string;
}

export const pages: readonly Page[] = [
  { path: 'readme.md', render: (page, results) => between(page, 'measured', peersTable(results)) },
  {
    path: 'docs/benchmarks.md',
    render: (page, results) => {
      const parts = { machine: machineText(results), systems: systemsTables(results), growth: growthTables(results) };
      return Object.entries(parts).reduce((text, [name, content]) => between(text, name, content), page);
    },
  },
];
