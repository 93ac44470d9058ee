import t, { type Test } from 'tap';
import { portsOf } from '../support/address.js';
import { HaProxy } from '../support/http/haproxy.js';
import { checkLoad } from '../support/http/check-load.js';
import { Load } from '../support/http/load.js';
import { type Program, fixture, start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { skipUnlessRuns } from '../support/skip.js';
import { waitUntil } from '../support/wait.js';

/** More than two checks take, which are 100 ms apart, also on a busy machine. */
const DRAIN_DELAY_MS = 1_000;
const CLIENTS_OF_A_KIND = 2;
const skip = skipUnlessRuns('haproxy', '-v');

interface Instance {
  readonly name: string;
  readonly port: number;
  readonly healthPort: number;
  program: Program;
}

function startProgram(t: Test, port = 0, healthPort = 0): Program {
  const addresses = { listen: `127.0.0.1:${port}`, admin: `127.0.0.1:${healthPort}` };
  const argument = { ...addresses, drainDelay: DRAIN_DELAY_MS, idleTimeout: 1_000 };
  return start(t, fixture('administered'), { args: [JSON.stringify(argument)] });
}

async function startInstance(t: Test, name: string): Promise<Instance> {
  const program = startProgram(t);
  const [port, healthPort] = portsOf(await program.announced('ready'));
  return { name, port: port!, healthPort: healthPort!, program };
}

async function behindHaProxy(t: Test): Promise<{ proxy: HaProxy; instances: Instance[] }> {
  const instances = [await startInstance(t, 'a'), await startInstance(t, 'b')];
  const proxy = await HaProxy.start(t, scratch(t), instances);
  for (const { name } of instances) await waitUntil(`${name} up`, async () => (await proxy.state(name)) === 'UP');
  return { proxy, instances };
}

t.test('a rolling restart of two instances behind HAProxy by SIGTERM', { skip }, async (t) => {
  const { proxy, instances } = await behindHaProxy(t);
  const load = new Load([{ socketPath: proxy.socketPath }], CLIENTS_OF_A_KIND);
  const pids = new Set(instances.map(({ program }) => program.pid));
  for (const pid of pids) await load.answeredBy([pid]);
  for (const instance of instances) {
    const { name, port, healthPort, program } = instance;
    let down = false;
    process.kill(program.pid, 'SIGTERM');
    await waitUntil(
      `${name} down`,
      async () => (await proxy.state(name)).startsWith('DOWN'),
      () => program.report(),
    );
    down = program.all('closed').length === 0;
    t.ok(down, `${name} is taken out before it ends`);
    t.match(await program.exited, { code: 0 });
    instance.program = startProgram(t, port, healthPort);
    await instance.program.announced('ready');
    pids.add(instance.program.pid);
    await waitUntil(`${name} up`, async () => (await proxy.state(name)) === 'UP');
    await load.answeredBy([instance.program.pid]);
  }
  t.equal(pids.size, 4);
  checkLoad(
    t,
    await load.stop(),
    [...pids].map((pid) => [pid]),
  );
});

t.test('a rolling restart of two instances behind HAProxy by SIGUSR2', { skip }, async (t) => {
  const { proxy, instances } = await behindHaProxy(t);
  const load = new Load([{ socketPath: proxy.socketPath }], CLIENTS_OF_A_KIND);
  for (const { program } of instances) await load.answeredBy([program.pid]);
  for (let round = 1; round <= 2; round += 1) {
    for (const { name, program } of instances) {
      process.kill(program.serving, 'SIGUSR2');
      await program.announced('ready', round + 1);
      const states: string[] = [];
      await waitUntil('the old process to end', async () => {
        states.push(await proxy.state(name));
        return program.all('closed').length === round;
      });
      t.ok(
        states.every((state) => state === 'UP'),
        `${name} is never taken out`,
      );
      await load.answeredBy([program.serving]);
    }
  }
  const pids = instances.flatMap(({ program }) => program.all('ready').map(({ pid }) => pid));
  t.equal(pids.length, 6, 'each restart started one process');
  checkLoad(
    t,
    await load.stop(),
    pids.map((pid) => [pid]),
  );
});
