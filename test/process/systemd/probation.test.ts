import t from 'tap';
import { getBody } from '../../support/http/client.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { NotifyRecorder } from '../../support/systemd/notify-recorder.js';
import { waitUntil } from '../../support/wait.js';

t.test('on probation the old process stays the main process, also if the restart is taken back', async (t) => {
  const folder = scratch(t);
  const notify = new NotifyRecorder(folder);
  const address = `unix:${folder}/app.sock`;
  const argument = JSON.stringify({ http: [address], probation: 60_000 });
  const program = start(t, fixture('server'), { args: [argument], env: notify.env });
  await program.announced('ready');
  const lastStatus = (): string => String(notify.with('READY').at(-1)?.fields['STATUS']);

  process.kill(program.pid, 'SIGUSR2');
  const { pid: second } = await program.announced('ready', 2);
  await waitUntil('the probation', () => lastStatus() === 'generation 2 serves on probation, generation 1 stands by', lastStatus);
  process.kill(second, 'SIGKILL');
  await program.announced('restart-reverted');
  await waitUntil('the report', () => lastStatus().startsWith('restart taken back, this process serves again'), lastStatus);
  t.equal(await getBody(address), 'slept 0');
  t.strictSame(notify.with('MAINPID'), [], 'so a main process never ended');

  process.kill(program.pid, 'SIGUSR2');
  const { pid: third } = await program.announced('ready', 3);
  await waitUntil('the probation', () => lastStatus().endsWith('stands by'), lastStatus);
  // systemctl stop
  process.kill(program.pid, 'SIGTERM');
  await program.ended();
  const codes = new Map(program.all('closed').map(({ pid, code }) => [pid, code]));
  t.strictSame([codes.get(program.pid), codes.get(third)], [0, 0], 'both have drained');
});
