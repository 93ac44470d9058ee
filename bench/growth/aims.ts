import { type Growth } from '../peers/results/growth-result.js';

/** What is promised about growth. */
export interface Aim {
  readonly what: string;
  readonly value: (growth: Growth) => number;
  readonly unit: string;
  readonly most: number;
}

export const AIMS: readonly Aim[] = [
  {
    what: 'lost requests and reconnects of idle and busy connections',
    value: ({ idle, busy }) => [...idle, busy].reduce((sum, { lost, reconnects }) => sum + lost + reconnects, 0),
    unit: '',
    most: 0,
  },
  {
    what: 'start with the most listeners, relative to a bare server with as many',
    value: ({ listeners }) => listeners.at(-1)!.start / listeners.at(-1)!.bareStart,
    unit: '',
    most: 2,
  },
  {
    what: 'restart with the most listeners, relative to the start of a bare server with as many',
    value: ({ listeners }) => listeners.at(-1)!.restart / listeners.at(-1)!.bareStart,
    unit: '',
    most: 2,
  },
  {
    what: 'heap of an idle connection, in addition to Node.js',
    value: ({ idle }) => idle.at(-1)!.heap - idle.at(-1)!.bareHeap,
    unit: ' bytes',
    most: 1_024,
  },
  {
    what: 'resident memory of an idle connection, in addition to Node.js',
    value: ({ idle }) => idle.at(-1)!.resident - idle.at(-1)!.bareResident,
    unit: ' bytes',
    most: 2_048,
  },
  {
    what: 'longest block of the event loop in a restart with the most idle connections',
    value: ({ idle }) => idle.at(-1)!.restartStall,
    unit: ' ms',
    most: 150,
  },
  {
    what: 'longest block of the event loop while the most idle connections are drained',
    value: ({ idle }) => idle.at(-1)!.drainStall,
    unit: ' ms',
    most: 50,
  },
];
