import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { KeepAliveClient } from '../../support/http/keep-alive-client.js';
import { type RunningProxy, startHaProxy, startNginx } from '../../support/http/proxy.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessFound } from '../../support/skip.js';
import { INSIDE, Systemd, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { Unit } from '../../support/systemd/unit.js';
import { waitUntil } from '../../support/wait.js';

const RESTARTS = 5;
/** Of each proxy. They send the next request when they have the answer, so each has a connection to the server for itself. */
const CLIENTS = 4;
/** HAProxy opens a connection of its own now and then, without a restart too. So nothing waits here. */
const QUICK = { probation: 0 };
const skip = skipUnlessFound('haproxy', 'nginx');

t.setTimeout(180_000);

/** HAProxy and nginx in front of a server, with clients. */
class Front {
  readonly #proxies: readonly RunningProxy[];
  readonly #clients: readonly KeepAliveClient[];

  private constructor(proxies: readonly RunningProxy[]) {
    this.#proxies = proxies;
    this.#clients = proxies.flatMap(({ port }) => Array.from({ length: CLIENTS }, () => new KeepAliveClient(port, 'busy')));
  }

  static async start(t: Test, server: string): Promise<Front> {
    return new Front([await startHaProxy(t, scratch(t), server), await startNginx(t, scratch(t), server)]);
  }

  /** Waits until the newest answer to each client comes from a process. */
  async answeredBy(pid: number): Promise<void> {
    const missing = (): KeepAliveClient[] => this.#clients.filter(({ headers }) => Number(headers['x-pid']) !== pid);
    await waitUntil(
      `answers of ${pid}`,
      () => missing().length === 0 || this.#complaints.length > 0,
      () => `${missing().length} are missing`,
    );
  }

  /** Connections to the server: those that HAProxy has opened, and those that all generations of the server have accepted. */
  async connections(): Promise<object> {
    const [opened] = await Promise.all(this.#proxies.map((proxy) => proxy.opened()));
    return { opened, accepted: Math.max(...this.#clients.map(({ headers }) => Number(headers['x-accepted']))) };
  }

  async stop(): Promise<readonly string[]> {
    await Promise.all(this.#clients.map((client) => client.stop()));
    return this.#complaints;
  }

  get #complaints(): readonly string[] {
    return this.#clients.flatMap(({ complaints }) => complaints);
  }
}

for (const follow of [false, true]) {
  t.test(`HAProxy and nginx in front, follow: ${follow}: no new connection to the server in ${RESTARTS} restarts`, { skip }, async (t) => {
    const program = start(t, fixture('move/counted'), { args: [JSON.stringify({ ...QUICK, listen: ['127.0.0.1:0'], follow })] });
    const front = await Front.start(t, `127.0.0.1:${portOf(await program.announced('ready'))}`);
    await front.answeredBy(program.pid);
    const before = await front.connections();
    for (let nth = 1; nth <= RESTARTS; nth += 1) {
      // With follow, signals go to the first process.
      process.kill(follow ? program.pid : program.serving, 'SIGUSR2');
      const { pid } = await program.announced('ready', nth + 1);
      await program.announced('closed', nth);
      await front.answeredBy(pid);
    }
    t.strictSame(await front.connections(), before, JSON.stringify(before));
    t.strictSame(await front.stop(), []);
    process.kill(follow ? program.pid : program.serving, 'SIGTERM');
    await program.ended();
  });
}

t.test(
  `HAProxy and nginx in front of a service of systemd: no new connection to it in ${RESTARTS} reloads`,
  { skip: skip || skipUnlessSystemd() },
  async (t) => {
    const systemd = await Systemd.start(t);
    const unit = await Unit.install(systemd, {
      program: `await import('${INSIDE.repository}/dist/test/fixtures/move/counted.js');\n`,
      argument: { ...QUICK, listen: ['systemd:web', 'systemd:web'] },
    });
    await unit.systemctl('start');
    const front = await Front.start(t, unit.socketPath);
    await front.answeredBy(await unit.mainPid());
    const before = await front.connections();
    for (let nth = 1; nth <= RESTARTS; nth += 1) {
      await unit.systemctl('reload');
      const { successor } = await unit.announced('restarted', nth);
      await unit.announced('closed', nth);
      await front.answeredBy(successor as number);
    }
    t.strictSame(await front.connections(), before, JSON.stringify(before));
    t.strictSame(await front.stop(), []);
  },
);
