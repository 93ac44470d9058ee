import { join } from 'node:path';
import t from 'tap';
import { portsOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { type Target } from '../../support/http/client.js';
import { checkLoad } from '../../support/http/check-load.js';
import { Load } from '../../support/http/load.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';

const RESTARTS = 5;
const CLIENTS_OF_A_KIND = 4;

t.test(`${RESTARTS} restarts under load lose no request`, async (t) => {
  const folder = scratch(t);
  const { keyFile, certFile, cert } = await makeCertificate(folder);
  const socketPath = join(folder, 'app.sock');
  const argument = JSON.stringify({ http: [':0', `unix:${socketPath}`], https: [':0'], key: keyFile, cert: certFile });
  const program = start(t, fixture('server'), { args: [argument] });
  const [port, , tlsPort] = portsOf(await program.announced('ready'));
  const targets: Target[] = [{ port: port! }, { socketPath }, { port: tlsPort!, ca: cert }];

  const load = new Load(targets, CLIENTS_OF_A_KIND);
  await load.answeredBy([program.serving]);
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await program.announced('restarted', restart);
    await load.answeredBy([program.serving]);
  }
  const generations = program.all('ready').map(({ pid }) => [pid]);
  t.equal(generations.length, RESTARTS + 1, 'each restart started one process');
  checkLoad(t, await load.stop(), generations);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.same(
    program.all('closed').map(({ code }) => code),
    Array.from({ length: RESTARTS + 1 }, () => 0),
    'all left with code 0',
  );
});
