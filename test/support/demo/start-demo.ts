import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Test } from 'tap';
import { isAlive } from '../proc.js';
import { waitUntil } from '../wait.js';

const DEMO = fileURLToPath(new URL('../../../demo/main.js', import.meta.url));

export interface Demo {
  readonly process: ChildProcess;
  output(): string;
}

export function startDemo(t: Test, ...args: string[]): Demo {
  const child = spawn('env', ['-i', `PATH=${process.env['PATH']}`, process.execPath, DEMO, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const closed = once(child, 'close');
  t.teardown(async () => {
    for (const [, pid] of output.matchAll(/pid (\d+)/g)) if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
    if (child.exitCode === null) child.kill('SIGKILL');
    await closed;
  });
  return { process: child, output: () => output };
}

/** A demo on ports that the kernel chooses, or on this one. */
export async function startOnLoopback(t: Test, port = 0): Promise<Demo & { readonly link: string; readonly port: number }> {
  const demo = startDemo(t, '--a0', `127.0.0.1:${port}`, '--a1', '127.0.0.1:0', '--a2', '127.0.0.1:0');
  const link = /^Open (http:\/\/127\.0\.0\.1:(\d+)\/) /m;
  await waitUntil('the link', () => link.test(demo.output()), demo.output);
  const [, url = '', chosen] = link.exec(demo.output())!;
  return { ...demo, link: url, port: Number(chosen) };
}

/** The newest process that said it serves. */
export function servingPid(demo: Demo): number {
  return Number([...demo.output().matchAll(/(?:new|with) pid (\d+)/g)].at(-1)![1]);
}

/** Stops the demo: its first process passes the signal on, and ends when all others have. */
export async function stopDemo(demo: Demo): Promise<void> {
  const { process: child } = demo;
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
