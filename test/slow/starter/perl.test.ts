import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { portsOf } from '../../support/address.js';
import { type Target } from '../../support/http/client.js';
import { checkLoad } from '../../support/http/check-load.js';
import { Load } from '../../support/http/load.js';
import { fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnless } from '../../support/skip.js';
import { PERL_MAIN, startStarter } from '../../support/starter.js';

t.setTimeout(240_000);

const DEPLOYS = 3;
const skip = skipUnless(() => existsSync(PERL_MAIN), 'the Debian package libserver-starter-perl is not installed');

t.test(`${DEPLOYS} deploys of a ts-grace worker under Perl's start_server lose no request`, { skip }, async (t) => {
  const socketPath = join(scratch(t), 'app.sock');
  const argument = JSON.stringify({ http: [':1', `unix:${socketPath}`] });
  const args = ['--port=127.0.0.1:0', `--path=${socketPath}`, '--interval=1', '--', process.execPath, fixture('server'), argument];
  const starter = startStarter(t, args, { main: PERL_MAIN });
  const [port] = portsOf(await starter.program.announced('ready'));
  const targets: Target[] = [{ port: port! }, { socketPath }];
  const load = new Load(targets, 1);
  await load.answeredBy([starter.program.serving]);
  for (let deploy = 1; deploy <= DEPLOYS; deploy += 1) {
    starter.signal('SIGHUP');
    await starter.program.announced('ready', deploy + 1);
    await starter.said('killing old workers', deploy);
    await load.answeredBy([starter.program.serving]);
  }
  await starter.said(/^old worker \d+ died, status:0$/, DEPLOYS);
  const pids = starter.program.all('ready').map(({ pid }) => pid);
  t.equal(pids.length, DEPLOYS + 1);
  checkLoad(
    t,
    await load.stop(),
    pids.map((pid) => [pid]),
  );
  t.strictSame(starter.program.all('restarting'), [], 'the worker starts no successor of its own');
  t.match(await starter.stop(), { code: 0 });
});
