import os from 'node:os';

/** What figures depend on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** The day of the last measurement. */
  readonly date: string;
}

export function thisMachine(): Machine {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    // Without what the distribution adds.
    kernel: `${os.type()} ${os.release().split('-')[0]}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

export function isSameMachine(one: Machine, other: Machine): boolean {
  return JSON.stringify({ ...one, date: '' }) === JSON.stringify({ ...other, date: '' });
}
