import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { pm2Command } from '../../../bench/packages/pm2.js';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { get } from '../../support/http/client.js';
import { type Announcement, fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnless } from '../../support/skip.js';
import { freePort } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(60_000);

const RESTARTS = 2;
/** From SIGINT to SIGKILL; the default is 1.6 s. */
const KILL_TIMEOUT_MS = 10_000;
const SENDS_AFTER_MS = 700;
const command = pm2Command();
const skip = skipUnless(() => command !== undefined, 'pm2 cannot be installed here');

/** A service that PM2 runs, with a daemon of its own. */
class Pm2Service {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(t: Test, env: Readonly<Record<string, string>> = {}) {
    this.#folder = scratch(t);
    this.#env = env;
    t.teardown(async () => {
      await this.pm2('kill');
    });
  }

  pm2(...args: readonly string[]): Promise<{ stdout: string }> {
    const env = { PATH: process.env['PATH'], HOME: this.#folder, PM2_HOME: this.#folder, ...this.#env };
    return promisify(execFile)(process.execPath, [command!, ...args], { env });
  }

  start(program: string, ...options: readonly string[]): Promise<unknown> {
    return this.pm2('start', program, '--name', 'web', '--output', this.#log, '--kill-timeout', String(KILL_TIMEOUT_MS), ...options);
  }

  get #log(): string {
    return join(this.#folder, 'stdout');
  }

  all(event: string): readonly Announcement[] {
    const text = existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
    const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as Announcement).filter((announcement) => announcement.event === event);
  }

  async announced(event: string, nth = 1): Promise<Announcement> {
    await waitUntil(`${event} number ${nth}`, () => this.all(event).length >= nth);
    return this.all(event)[nth - 1]!;
  }

  async pid(): Promise<number> {
    return Number((await this.pm2('pid', 'web')).stdout.trim());
  }
}

t.test('SIGUSR2 under PM2: the process that it watches stays', { skip }, async (t) => {
  const service = new Pm2Service(t);
  await service.start(fixture('follow'));
  const ready = await service.announced('ready');
  const target = { port: portOf(ready) };
  t.equal(await service.pid(), ready.pid);
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    await service.pm2('sendSignal', 'SIGUSR2', 'web');
    await service.announced('ready', restart + 1);
    await service.announced('closed', restart);
  }
  const serving = service.all('ready').at(-1)!.pid;
  t.not(serving, ready.pid);
  t.equal(await service.pid(), ready.pid, 'PM2 watches the same process');
  t.equal(service.all('ready').length, RESTARTS + 1, 'and did not start it again');
  const slow = get(target, '/?ms=1500');
  t.equal(Number((await get(target)).body), serving, 'the last generation serves');
  await service.pm2('stop', 'web');
  t.equal(Number((await slow).body), serving, 'pm2 stop drains it');
  await waitUntil('the end of all', () => service.all('ready').every(({ pid }) => !isRunning(pid)));
});

t.test("wait_ready of PM2 and ts-grace/auto: both hear process.send('ready')", { skip }, async (t) => {
  const port = await freePort();
  const service = new Pm2Service(t, { GRACE_READY: 'manual', NODE_OPTIONS: '--import ts-grace/auto' });
  const argument = JSON.stringify({ http: [{ port, host: '127.0.0.1' }], sends: SENDS_AFTER_MS });
  const begin = performance.now();
  await service.start(fixture('auto/program'), '--wait-ready', '--listen-timeout', String(KILL_TIMEOUT_MS), '--', argument);
  const took = performance.now() - begin;
  t.ok(took >= SENDS_AFTER_MS && took < KILL_TIMEOUT_MS, 'PM2 has waited for it');
  const { pid } = await service.announced('ready');
  await service.pm2('sendSignal', 'SIGUSR2', 'web');
  await waitUntil('the new process', async () => (await get({ port })).pid !== pid);
  t.equal(await service.pid(), pid, 'PM2 watches the same process');
  await service.pm2('stop', 'web');
  await waitUntil('the end of all', () => service.all('ready').every((one) => !isRunning(one.pid)));
  t.equal(service.all('ready').length, 2, 'PM2 did not start it again');
});
