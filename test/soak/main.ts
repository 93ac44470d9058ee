import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { portsOf } from '../support/address.js';
import { makeCertificate } from '../support/certificate.js';
import { tooFew } from '../support/http/check-load.js';
import { Load } from '../support/http/load.js';
import { descriptors, isAlive, resident } from '../support/proc.js';
import { Program, fixture } from '../support/program.js';
import { waitUntil } from '../support/wait.js';
import { change, median } from './slope.js';

/**
 * Restarts a server many times under clients of every kind that never retry, and
 * prints what is lost and what grows.
 */
const { values } = parseArgs({
  options: {
    restarts: { type: 'string', default: '1000' },
    clients: { type: 'string', default: '1' },
    report: { type: 'string', default: '50' },
  },
});
const restarts = Number(values.restarts);
const reportEvery = Number(values.report);
/** A generation may have this much more of something than one at the beginning, because it is measured under load. */
const MAY_GROW = { descriptors: 3, memory: 0.1 };

/** One generation, when every kind of client has had answers of it. */
interface Generation {
  readonly descriptors: number;
  readonly memory: number;
  readonly processes: number;
  readonly longestWait: number;
}

const folder = mkdtempSync(join(tmpdir(), 'grace-soak-'));
const { keyFile, certFile, cert } = await makeCertificate(folder);
const socketPath = join(folder, 'app.sock');
const argument = JSON.stringify({ http: ['127.0.0.1:0', `unix:${socketPath}`], https: ['127.0.0.1:0'], key: keyFile, cert: certFile });
const program = new Program(spawn(process.execPath, [fixture('server'), argument], { stdio: ['ignore', 'pipe', 'pipe'] }));
const [port, , tlsPort] = portsOf(await program.announced('ready'));
const load = new Load([{ port: port! }, { socketPath }, { port: tlsPort!, ca: cert }], Number(values.clients));

const generations: Generation[] = [];
console.log(['restarts', 'answered', 'lost', 'longest wait', 'processes', 'descriptors', 'memory'].join('\t'));
await measure();
for (let restart = 1; restart <= restarts; restart += 1) {
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', restart + 1);
  await program.announced('restarted', restart);
  await measure();
  if (restart % reportEvery === 0) report(restart);
}
const result = await load.stop();
process.kill(program.serving, 'SIGTERM');
await program.ended();
rmSync(folder, { recursive: true });

const grown = {
  descriptors: change(generations.map((each) => each.descriptors)),
  memory: change(generations.map(({ memory }) => memory)),
};
const codes = new Set(program.all('closed').map(({ code }) => code));
const waited = tooFew(
  result.kinds,
  program.all('ready').map(({ pid }) => [pid]),
);
console.log(
  `${restarts} restarts: ${result.answered} requests answered, ${result.lost.length} lost, longest wait ${result.longestWait.toFixed(0)} ms`,
);
console.log(`from the first tenth to the last: descriptors ${signed(grown.descriptors.by)}, memory ${signed(grown.memory.share * 100)} %`);
console.log(
  `most processes at the same time: ${Math.max(...generations.map(({ processes }) => processes))}; exit codes: ${[...codes].join(', ')}`,
);
for (const line of [...result.lost.slice(0, 20), ...waited.slice(0, 20)]) console.log(line);
const good = result.lost.length === 0 && waited.length === 0 && codes.size === 1 && codes.has(0);
process.exitCode = good && grown.descriptors.by <= MAY_GROW.descriptors && grown.memory.share <= MAY_GROW.memory ? 0 : 1;

/** Once the predecessor is gone: what the process that serves has open, and its memory. */
async function measure(): Promise<void> {
  await load.answeredBy([program.serving]);
  const pids = program
    .all('ready')
    .map(({ pid }) => pid)
    .slice(-5);
  const processes = pids.filter(isAlive).length;
  await waitUntil(
    'the end of the predecessor',
    () => pids.filter(isAlive).length === 1,
    () => program.report(),
  );
  generations.push({
    descriptors: descriptors(program.serving),
    memory: resident(program.serving),
    processes,
    longestWait: load.result.longestWait,
  });
}

function report(restart: number): void {
  const last = generations.slice(-reportEvery);
  const { answered, lost, longestWait } = load.result;
  const memory = `${(median(last.map((each) => each.memory)) / 1_024).toFixed(1)} MiB`;
  const most = Math.max(...last.map(({ processes }) => processes));
  console.log(
    [restart, answered, lost.length, `${longestWait.toFixed(0)} ms`, most, median(last.map((each) => each.descriptors)), memory].join('\t'),
  );
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
}
