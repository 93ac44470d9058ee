import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Namespace, copyExample, skipUnlessNamespace } from '../../support/examples/namespace.js';
import { skipUnlessRuns } from '../../support/skip.js';
import { waitUntil } from '../../support/wait.js';
import { Clients } from '../../support/examples/load.js';

t.setTimeout(300_000);
const skip = skipUnlessNamespace() || skipUnlessRuns('haproxy', '-v');

/** HAProxy with its configuration as process 1, and two instances beside it, as the readme starts them. */
class Site {
  readonly folder: string;
  readonly #namespace: Namespace;

  private constructor(namespace: Namespace, folder: string) {
    this.#namespace = namespace;
    this.folder = folder;
  }

  static async start(t: Test): Promise<Site> {
    const folder = copyExample(t, 'haproxy');
    return new Site(await Namespace.start(t, folder, 'haproxy', '-db', '-f', 'haproxy.cfg'), folder);
  }

  instance(port: number, adminPort: number): ChildProcess {
    const program = this.#namespace.spawn(this.folder, process.execPath, 'server.mjs', String(port), String(adminPort));
    program.stdout!.resume();
    return program;
  }

  clients(): Clients {
    return new Clients(this.#namespace, this.folder, 'http://127.0.0.1:8080/');
  }

  async waitFor(name: string, state: RegExp): Promise<void> {
    await waitUntil(`${name} to be ${state.source}`, async () => state.test(await this.#state(name)));
  }

  /** A signal to the process with the pid that it has inside. */
  async kill(signal: string, pid: number): Promise<void> {
    await this.#namespace.run('/', 'kill', `-${signal}`, String(pid));
  }

  async pidOf(port: number): Promise<number> {
    return Number((await this.#namespace.get(`http://127.0.0.1:${port}/`)).body);
  }

  async #state(name: string): Promise<string> {
    const script = `require('node:net').connect(${JSON.stringify(join(this.folder, 'haproxy.sock'))}).on('error', () => {}).end('show stat\\n').pipe(process.stdout)`;
    const rows = (await this.#namespace.run('/', process.execPath, '-e', script)).split('\n').map((row) => row.split(','));
    const column = rows[0]!.indexOf('status');
    return rows.find((row) => row[0] === 'instances' && row[1] === name)?.[column] ?? 'unknown';
  }
}

t.test('examples/haproxy: two instances are replaced under load, and no request is lost', { skip }, async (t) => {
  const site = await Site.start(t);
  const first = { a: site.instance(8081, 9081), b: site.instance(8082, 9082) };
  for (const name of ['a', 'b']) await site.waitFor(name, /^UP$/);
  const clients = site.clients();
  await clients.answeredBy(2);
  // By SIGUSR2: each one restarts itself.
  for (const [index, port] of [8081, 8082].entries()) {
    await site.kill('USR2', await site.pidOf(port));
    await clients.answeredBy(3 + index);
  }
  // By SIGTERM: one is stopped, and started again.
  await site.kill('TERM', await site.pidOf(8081));
  await site.waitFor('a', /^DOWN/);
  await once(first.a, 'exit');
  t.equal(first.a.exitCode, 0);
  site.instance(8081, 9081);
  await site.waitFor('a', /^UP$/);
  await clients.answeredBy(5);
  const { answered, lost, pids } = await clients.stop();
  t.strictSame(lost, [], 'no request is lost');
  t.equal(pids.length, 5);
  t.comment(`${answered} requests answered`);
});
