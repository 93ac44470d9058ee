import t from 'tap';
import { portOf } from '../../support/address.js';
import { IdleClients } from '../../support/http/idle-clients.js';
import { descriptors } from '../../support/proc.js';
import { fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const CONNECTIONS = 1_500;
const ROUNDS = 6;

t.setTimeout(180_000);

for (let round = 0; round < ROUNDS; round += 1) {
  // Each round has a part for itself, so that the begin and the end are tried too.
  const taken = Math.floor(((round + Math.random()) / ROUNDS) * CONNECTIONS);
  t.test(`the successor is killed when it has about ${taken} of ${CONNECTIONS} connections: they are lost, and nothing else`, async (t) => {
    const program = start(t, fixture('move/watched'));
    const port = portOf(await program.announced('ready'));
    const clients = await IdleClients.connect(t, port, CONNECTIONS);
    process.kill(program.pid, 'SIGUSR2');
    const { successor } = await program.announced('restarted');
    const pid = successor as number;
    await waitUntil('connections in the new process', () => descriptors(pid) > taken);
    process.kill(pid, 'SIGKILL');
    const answers = await clients.ask();
    clients.destroy();
    const { moved } = await program.announced('end');
    t.comment(`${Number(moved)} of ${CONNECTIONS} had moved`);
    t.strictSame(answers, new Map(moved === CONNECTIONS ? [] : [[program.pid, CONNECTIONS - Number(moved)]]));
    t.match(await program.announced('closed'), { cutOff: [] });
    await program.ended();
  });
}
