import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Deploys a small program many times, one deploy right after the other, and prints
 * the resident memory of start_server, as ps(1) shows it.
 */
const { values } = parseArgs({
  options: { deploys: { type: 'string', default: '1000' }, node: { type: 'string', multiple: true, default: [process.execPath] } },
});
const DEPLOYS = Number(values.deploys);
const REPORTS = 10;
const LIMIT_KIB = 60 * 1024;
/** From the first report to the last. */
const MAY_GROW = 0.05;
const MAIN = fileURLToPath(new URL('../../starter/cli/main.js', import.meta.url));
const KIB = 1_024;

for (const node of values.node) {
  const sizes = await deploy(node);
  const [first, last, largest] = [sizes[1]!, sizes.at(-1)!, Math.max(...sizes)];
  const good = largest < LIMIT_KIB && last <= first * (1 + MAY_GROW);
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.log(`Node.js ${version}: ${sizes.map((size) => (size / KIB).toFixed(1)).join(', ')} MiB${good ? '' : '; NOT REACHED'}`);
  if (!good) process.exitCode = 1;
}

/** The memory at the start and after each tenth of the deploys, in KiB. */
async function deploy(node: string): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'grace-memory-'));
  const status = join(folder, 'status');
  const command = [MAIN, '--port=127.0.0.1:0', '--interval=0', `--status-file=${status}`, '--', 'sleep', '1000000'];
  const child = spawn(node, command, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const sizes: number[] = [];
  for (let deploys = 0; deploys <= DEPLOYS; deploys += 1) {
    if (deploys > 0) child.kill('SIGHUP');
    while (!onlyGeneration(status, deploys + 1)) {
      if (child.exitCode !== null) throw new Error(`start_server exited with code ${child.exitCode}`);
      await sleep(2);
    }
    if (deploys % Math.ceil(DEPLOYS / REPORTS) === 0) sizes.push(resident(child.pid!));
  }
  child.kill('SIGTERM');
  await exited;
  rmSync(folder, { recursive: true });
  return sizes;
}

/** Whether one worker of this generation is left. */
function onlyGeneration(statusFile: string, generation: number): boolean {
  try {
    return new RegExp(`^${generation}:\\d+\\n$`).test(readFileSync(statusFile, 'utf8'));
  } catch {
    return false;
  }
}

function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}
