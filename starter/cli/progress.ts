import { type RestartProgress } from '../control/restart.js';

const CLEAR_LINE = '\r\x1b[K';

/** Shows how far a restart is: on a terminal as it goes on, in a pipe by one line at its end. */
export async function printProgress(
  restart: (onProgress: (progress: RestartProgress) => void) => Promise<RestartProgress>,
): Promise<void> {
  const { stdout } = process;
  const onProgress = (progress: RestartProgress): void => {
    if (stdout.isTTY) stdout.write(`${CLEAR_LINE}${describe(progress)}`);
  };
  try {
    const { generation, elapsed } = await restart(onProgress);
    if (stdout.isTTY) stdout.write(CLEAR_LINE);
    stdout.write(`generation ${generation} serves, nothing older is left, after ${seconds(elapsed)} s\n`);
  } catch (error) {
    if (stdout.isTTY) stdout.write(CLEAR_LINE);
    throw error;
  }
}

function describe({ generation, elapsed, up, old }: RestartProgress): string {
  const what = up ? `generation ${generation} is up, waiting for old workers ${old.join(', ')}` : `waiting for generation ${generation}`;
  return `${what}: ${seconds(elapsed)} s`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
