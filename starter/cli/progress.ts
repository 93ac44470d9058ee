import { type RestartProgress } from '../control/restart.js';

const CLEAR_LINE = '\r\x1b[K';

/** Shows the progress of a restart: on a terminal while it runs, in a pipe as one line at the end, which can be JSON. */
export async function printProgress(
  restart: (onProgress: (progress: RestartProgress) => void) => Promise<RestartProgress>,
  json: boolean,
): Promise<void> {
  const { stdout } = process;
  const onProgress = (progress: RestartProgress): void => {
    if (stdout.isTTY) stdout.write(`${CLEAR_LINE}${describe(progress)}`);
  };
  try {
    const result = await restart(onProgress);
    const { generation, elapsed } = result;
    if (stdout.isTTY) stdout.write(CLEAR_LINE);
    if (json) stdout.write(`${JSON.stringify(result)}\n`);
    else stdout.write(`generation ${generation} is serving, no old worker is left, after ${seconds(elapsed)} s\n`);
  } catch (error) {
    if (stdout.isTTY) stdout.write(CLEAR_LINE);
    throw error;
  }
}

function describe({ generation, elapsed, up, oldPids }: RestartProgress): string {
  const what = up
    ? `generation ${generation} is up, waiting for old workers ${oldPids.join(', ')}`
    : `waiting for generation ${generation}`;
  return `${what}: ${seconds(elapsed)} s`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
