import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { downloaded } from '../../support/installed.js';
import { get } from '../../support/http/client.js';
import { type Announcement, fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnless } from '../../support/skip.js';
import { waitUntil } from '../../support/wait.js';

const RESTARTS = 2;
/** From SIGINT to SIGKILL; the default is 1.6 s. */
const KILL_TIMEOUT_MS = 10_000;
const bin = downloaded('pm2', '7.0.3');

/** A service that PM2 runs, with a daemon of its own. */
class Pm2Service {
  readonly #folder: string;

  constructor(t: Test) {
    this.#folder = scratch(t);
    t.teardown(async () => {
      await this.pm2('kill');
    });
  }

  pm2(...args: readonly string[]): Promise<{ stdout: string }> {
    const env = { PATH: process.env['PATH'], HOME: this.#folder, PM2_HOME: this.#folder };
    return promisify(execFile)(process.execPath, [join(bin!, 'pm2'), ...args], { env });
  }

  start(program: string): Promise<unknown> {
    return this.pm2('start', program, '--name', 'web', '--output', this.#log, '--kill-timeout', String(KILL_TIMEOUT_MS));
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

t.test(
  'SIGUSR2 under PM2: the process that it watches stays',
  { skip: skipUnless(() => bin !== undefined, 'pm2 cannot be installed here') },
  async (t) => {
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
  },
);
