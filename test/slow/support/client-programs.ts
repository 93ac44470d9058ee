import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Test } from 'tap';

/** What one kind of client has sent, and what it says about requests without a whole answer. */
export interface Sent {
  sent: number;
  readonly errors: string[];
}

export type Results = Record<string, Sent>;

/** Clients that run until stop(). */
export interface Clients {
  stop(): Promise<Results>;
}

/** A program that runs clients until SIGTERM, and then prints their results as its last line. */
export async function startClients(t: Test, command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Clients> {
  const [program, ...args] = command;
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const outputs = collect(child);
  const closed = once(child, 'close');
  t.teardown(() => void child.kill('SIGKILL'));
  await Promise.race([once(child.stdout, 'data'), closed]);
  if (child.exitCode !== null) throw new Error(`${program} ended: ${outputs.stderr}`);
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
      const last = outputs.stdout.trim().split('\n').at(-1)!;
      if (last === '{}') throw new Error(`${program} ended without results: ${outputs.stderr}`);
      return JSON.parse(last) as Results;
    },
  };
}

/** A command that ends by itself and is run again and again, for example curl with a list of URLs. */
export function repeat(t: Test, name: string, command: readonly string[], read: (output: string) => Sent): Clients {
  const [program, ...args] = command;
  const all: Sent = { sent: 0, errors: [] };
  let stopped = false;
  let running: ChildProcess | undefined;
  t.teardown(() => void running?.kill('SIGKILL'));
  const run = async (): Promise<void> => {
    while (!stopped) {
      const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      running = child;
      const outputs = collect(child);
      await once(child, 'close');
      const { sent, errors } = read(outputs.stdout);
      all.sent += sent;
      all.errors.push(...errors);
      if (sent === 0) throw new Error(`${name}: ${outputs.stdout}${outputs.stderr}`);
    }
  };
  const ended = run();
  ended.catch(() => undefined);
  return {
    stop: async () => {
      stopped = true;
      await ended;
      return { [name]: all };
    },
  };
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const outputs = { stdout: '', stderr: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    outputs.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    outputs.stderr += text;
  });
  return outputs;
}
