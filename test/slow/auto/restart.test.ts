import { join } from 'node:path';
import t from 'tap';
import { startAuto } from '../../support/auto/start-auto.js';
import { makeCertificate } from '../../support/certificate.js';
import { checkLoad } from '../../support/http/check-load.js';
import { type Target } from '../../support/http/client.js';
import { Load } from '../../support/http/load.js';
import { scratch } from '../../support/scratch.js';
import { freePort } from '../../support/sockets.js';

t.setTimeout(300_000);

const RESTARTS = 5;

t.test(`an unchanged program loses nothing in ${RESTARTS} restarts and one stop under load`, async (t) => {
  const folder = scratch(t);
  const { keyFile, certFile, cert } = await makeCertificate(folder);
  const path = join(folder, 'app.sock');
  const [port, tlsPort] = [await freePort(), await freePort()];
  const program = startAuto(t, {
    http: [{ port, host: '127.0.0.1' }, { path }],
    https: [{ port: tlsPort, host: '127.0.0.1' }],
    key: keyFile,
    cert: certFile,
  });
  await program.announced('ready');
  const targets: Target[] = [{ port }, { socketPath: path }, { port: tlsPort, ca: cert }];
  const load = new Load(targets, 3);
  await load.answeredBy([program.serving]);
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await load.answeredBy([program.serving]);
  }
  const generations = program.all('ready').map(({ pid }) => [pid]);
  checkLoad(t, await load.stop(), generations);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.same(
    program.all('exit').map(({ code }) => code),
    generations.map(() => 0),
    'all left with code 0',
  );
});
