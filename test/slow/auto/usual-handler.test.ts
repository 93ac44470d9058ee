import t from 'tap';
import { restart, startAuto } from '../../support/auto/start-auto.js';
import { checkLoad } from '../../support/http/check-load.js';
import { Load } from '../../support/http/load.js';
import { freePort } from '../../support/sockets.js';

const HOST = '127.0.0.1';
const RESTARTS = 10;

t.setTimeout(300_000);

t.test(`the usual handler of SIGTERM loses nothing in ${RESTARTS} restarts`, async (t) => {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: HOST }], onTerm: 'close', onUsr2: true });
  await program.announced('ready');
  const load = new Load([{ port }], 3);
  for (let count = 1; count <= RESTARTS; count += 1) {
    await load.answeredBy([program.serving]);
    await restart(program);
  }
  await load.answeredBy([program.serving]);
  checkLoad(
    t,
    await load.stop(),
    program.all('ready').map(({ pid }) => [pid]),
  );
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.same(
    program.all('exit').map(({ code }) => code),
    Array.from({ length: RESTARTS + 1 }, () => 0),
  );
  t.equal(program.all('handler').length, RESTARTS + 1, 'the handler of SIGTERM runs at each drain');
  t.equal(program.all('SIGUSR2').length, 0, 'a handler of SIGUSR2 does not run at a restart');
});
