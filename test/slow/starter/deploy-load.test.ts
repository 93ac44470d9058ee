import { join } from 'node:path';
import t from 'tap';
import { portsOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { type Target } from '../../support/http/client.js';
import { checkLoad } from '../../support/http/check-load.js';
import { Load } from '../../support/http/load.js';
import { fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { startStarter } from '../../support/starter.js';

/** Other tests may keep the processors busy. */
t.setTimeout(240_000);

const DEPLOYS = 5;
const CLIENTS_OF_A_KIND = 2;
/** A new worker has to live for this time before the old one is told to exit. */
const INTERVAL_S = 0.3;

for (const workers of [1, 4]) {
  t.test(`${DEPLOYS} deploys under load lose no request, workers: ${workers}`, async (t) => {
    const folder = scratch(t);
    const { keyFile, certFile, cert } = await makeCertificate(folder);
    const socketPath = join(folder, 'app.sock');
    const argument = { http: [':1', `unix:${socketPath}`], https: [':2'], key: keyFile, cert: certFile };
    const args = ['--port=127.0.0.1:0', '--port=127.0.0.1:0', `--path=${socketPath}`, `--workers=${workers}`, `--interval=${INTERVAL_S}`];
    const starter = startStarter(t, [...args, '--', process.execPath, fixture('server'), JSON.stringify(argument)]);
    const [port, , tlsPort] = portsOf(await starter.program.announced('ready', workers));
    const targets: Target[] = [{ port: port! }, { socketPath }, { port: tlsPort!, ca: cert }];
    const load = new Load(targets, CLIENTS_OF_A_KIND);
    const generation = (nth: number): number[] =>
      starter.program
        .all('ready')
        .slice((nth - 1) * workers, nth * workers)
        .map(({ pid }) => pid);
    await load.answeredBy(generation(1));
    const times: number[] = [];
    for (let deploy = 1; deploy <= DEPLOYS; deploy += 1) {
      const begin = performance.now();
      starter.signal('SIGHUP');
      for (let replaced = 1; replaced <= workers; replaced += 1) {
        await starter.said('killing old workers', (deploy - 1) * workers + replaced);
      }
      times.push(performance.now() - begin);
      // Its stdout may be read later than the messages of start_server; the generation is complete only then.
      await starter.program.announced('ready', (deploy + 1) * workers);
      await load.answeredBy(generation(deploy + 1));
    }
    await starter.said(/^old worker \d+ died, status:0$/, DEPLOYS * workers);
    checkLoad(
      t,
      await load.stop(),
      Array.from({ length: DEPLOYS + 1 }, (_, index) => generation(index + 1)),
    );
    t.ok(Math.min(...times) >= INTERVAL_S * 1000 * workers, 'each new worker has lived for the interval');
    t.comment(`time until the last new worker was up: ${times.map(Math.round).join(', ')} ms`);
    t.match(await starter.stop(), { code: 0 });
  });
}
