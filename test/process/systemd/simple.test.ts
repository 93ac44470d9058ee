import t from 'tap';
import { Systemd, INSIDE, skipUnlessSystemd } from '../../support/systemd/systemd.js';
import { Unit } from '../../support/systemd/unit.js';

const RESTARTS = 2;
const PROGRAM = `await import('${INSIDE.repository}/dist/test/fixtures/follow.js');\n`;

const skip = skipUnlessSystemd();
t.test('SIGUSR2 under Type=simple: the main process stays, and a stop drains', { skip }, async (t) => {
  const systemd = await Systemd.start(t);
  const unit = await Unit.install(systemd, {
    program: PROGRAM,
    argument: { listen: 'unix:/run/app/web.sock' },
    service: ['Type=simple', 'NotifyAccess=none', 'WatchdogSec=0'],
  });
  const first = await unit.get('/');
  const main = await unit.mainPid();
  t.equal(Number(first.body), main);
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    await unit.systemctl('reload');
    await unit.announced('ready', restart + 1);
    await unit.announced('closed', restart);
  }
  const serving = unit.all('ready').at(-1)!.pid;
  t.equal(await unit.mainPid(), main, 'the same main process');
  t.equal(await unit.show('ActiveState'), 'active');
  t.equal(await unit.show('NRestarts'), '0');
  const slow = unit.get('/?ms=700');
  t.equal(Number((await unit.get('/')).body), serving, 'the last generation serves');
  t.not(serving, main);
  await systemd.systemctl('stop', unit.socket, unit.service);
  t.equal(Number((await slow).body), serving, 'a stop drains it');
  t.equal(await unit.show('Result'), 'success');
});
