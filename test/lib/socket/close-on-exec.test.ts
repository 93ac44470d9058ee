import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { closeOnExec } from '../../../lib/socket/close-on-exec.js';
import { portOf } from '../../support/address.js';
import { skipUnlessFound } from '../../support/skip.js';
import { descriptorOf, listening } from '../../support/sockets.js';

const SOURCE = fileURLToPath(new URL('../../../lib/socket/close-on-exec.js', import.meta.url));
/** Moves descriptor 40, says what is open to a program that it starts, and serves once. */
const PROGRAM = `
  const { closeOnExec } = await import(${JSON.stringify(SOURCE)});
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const [fd, other] = await closeOnExec([40, 4000]);
  const { stdout } = spawnSync('sh', ['-c', 'ls -l /proc/self/fd'], { encoding: 'utf8' });
  console.log(JSON.stringify({ fd, other, leaked: stdout.includes(process.getBuiltinModule('node:fs').readlinkSync('/proc/self/fd/' + fd)) }));
  const server = process.getBuiltinModule('node:net').createServer((socket) => socket.end('served', () => process.exit()));
  server.listen({ fd });
`;

t.test('descriptors with the flag stay as they are', async (t) => {
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(fd));
  t.same(await closeOnExec([fd]), [fd]);
  t.same(await closeOnExec([]), []);
  t.same(await closeOnExec([4_000]), [4_000], 'one that is not open');
});

t.test('a descriptor without the flag gets a new number, and loses no connection', { skip: skipUnlessFound('bash') }, async (t) => {
  const held = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const shell = 'exec 40<&3 3<&-; exec env -u NODE_OPTIONS "$0" --input-type=module -e "$1"';
  const child = spawn('bash', ['-c', shell, process.execPath, PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit', descriptorOf(held)],
  });
  // From now on this process accepts nothing, so the connection waits in the queue while the descriptor is moved.
  const port = portOf(held);
  await once(child, 'spawn');
  net.Server.prototype.close.call(held);
  const client = net.connect(port, '127.0.0.1');
  const [[output], [answer]] = (await Promise.all([once(child.stdout!, 'data'), once(client, 'data')])) as [[Buffer], [Buffer]];
  const { fd, other, leaked } = JSON.parse(output.toString()) as Readonly<Record<string, unknown>>;
  t.not(fd, 40);
  t.equal(other, 4_000);
  t.notOk(leaked);
  t.equal(answer.toString(), 'served');
});
