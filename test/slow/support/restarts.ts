import { setTimeout as sleep } from 'node:timers/promises';
import { type Test } from 'tap';
import { portsOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { type Program, fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { type Clients, type Results } from './client-programs.js';

export const RESTARTS = 5;
/** Between two restarts, so that each process has answered for a while. */
const SERVE_MS = 1_000;
/** Kept connections end in this time in a process that drains. */
const KEEP_ALIVE_MS = 2_000;

export interface ServedProtocols {
  readonly program: Program;
  /** In the order in which they were asked for. */
  readonly ports: readonly number[];
  readonly cert: string;
}

/** Starts the fixture that speaks these protocols. */
export async function serveProtocols(t: Test, serve: readonly string[], options: object = {}): Promise<ServedProtocols> {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const argument = { serve, key: keyFile, cert: certFile, keepAliveTimeout: KEEP_ALIVE_MS, ...options };
  const program = start(t, fixture('protocols'), { args: [JSON.stringify(argument)] });
  return { program, ports: portsOf(await program.announced('ready')), cert };
}

/** Restarts the program five times while the clients run, then stops them. */
export async function restartUnder(program: Program, clients: readonly Clients[]): Promise<Results> {
  await sleep(SERVE_MS);
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await sleep(SERVE_MS);
  }
  await program.announced('closed', RESTARTS);
  const results = await Promise.all(clients.map((each) => each.stop()));
  return Object.assign({}, ...results) as Results;
}

/** Stops the program; asserts that no process of it had to cut anything off. */
export async function stopAll(t: Test, program: Program): Promise<void> {
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  const ends = program.all('closed').map(({ code, cutOff }) => ({ code, cutOff }));
  t.strictSame(
    ends,
    Array.from({ length: RESTARTS + 1 }, () => ({ code: 0, cutOff: [] })),
    'each process ends with exit code 0, and nothing cut off',
  );
}
