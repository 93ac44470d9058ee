import net from 'node:net';
import t from 'tap';
import { portOf } from '../support/address.js';
import { getBody } from '../support/http/client.js';
import { BY_SYSTEMD, fixture, start } from '../support/program.js';
import { WAIT, goodRelease, writeRelease } from '../support/release.js';
import { scratch } from '../support/scratch.js';
import { descriptorOf, listening } from '../support/sockets.js';

const LIBRARY = JSON.stringify(import.meta.resolve('ts-grace/gracehttp'));
/** The line of the program, the message, the stack, and the error's properties. */
const LINES_OF_AN_ERROR = 16;

/** Programs with one mistake each, and what to write instead, as the message has it. */
const MISTAKES: readonly (readonly [what: string, program: string, message: string])[] = [
  [
    'an Express app as server',
    "const app = Object.assign(function app() {}, { listen() {}, settings: Array.from({ length: 90 }, (_, n) => ({ n })) }); await serve({ server: app, listen: ':0' });",
    'use http.createServer(app), or { handler: app, listen }',
  ],
  ['a bare function', 'await serve(() => {});', 'use { handler: app, listen }, or createServer(address, app)'],
  ['a misspelt option', 'new App({ drainTimout: 5 });', 'did you mean drainTimeout?'],
  ['an option in the wrong place', "await listenAndServe(':0', () => {}, { drainTimeout: 5 });", '{ app: { drainTimeout: … } }'],
  ['a handler that is none', "createServer(':0', {});", 'expected a function (request, response)'],
  [
    'two addresses of which one includes the other',
    'await serve({ handler() {}, listen: 45678 }, { handler() {}, listen: "127.0.0.1:45678" });',
    'cannot listen on both :45678 and 127.0.0.1:45678',
  ],
];

t.test('a program with a mistake ends with a short message that says what to write', async (t) => {
  const folder = scratch(t);
  for (const [what, text, message] of MISTAKES) {
    const program = start(t, writeRelease(folder, `import { App, createServer, listenAndServe, serve } from ${LIBRARY};\n${text}`));
    t.match(await program.exited, { code: 1 }, what);
    await program.ended();
    t.match(program.stderr, message, what);
    t.match(program.stderr, new RegExp(`^file://${folder}\\S*:2\\n`), `${what}: the line of the program`);
    t.ok(program.stderr.includes(`\n${text}\n`), `${what}: its text`);
    t.ok(program.stderr.split('\n').length <= LINES_OF_AN_ERROR, `${what}: no dump\n${program.stderr}`);
  }
});

t.test('empty LISTEN_FDS and LISTEN_PID count as unset', async (t) => {
  const env = { LISTEN_FDS: '', LISTEN_PID: '', LISTEN_FDNAMES: '' };
  const program = start(t, writeRelease(scratch(t), goodRelease('served', '127.0.0.1:0')), { env });
  const { addresses } = await program.announced('ready');
  t.equal(await getBody((addresses as string[])[0]!), 'served');
});

t.test('a start that fails as systemd passed a socket that no server asks for says how to use it', async (t) => {
  const held = await listening(t, net.createServer(), { port: 0, host: '::' });
  const address = `127.0.0.1:${portOf(held)}`;
  const program = start(t, fixture('server'), {
    env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web', ARGUMENT: JSON.stringify({ http: [address] }) },
    shell: BY_SYSTEMD,
    passed: [descriptorOf(held)],
  });
  const { code, value, message } = await program.announced('error');
  t.match({ code, value }, { code: 'ADDRESS_IN_USE', value: address });
  t.match(
    message,
    `cannot listen on ${address}: systemd passed a socket for [::]:${portOf(held)}, which no server here asks for; to use it, write listen: 'systemd:web'`,
  );
  t.match(await program.exited, { code: 1 });
});

t.test('a restart that is given up says so, and not that the process keeps serving', async (t) => {
  const folder = scratch(t);
  const program = start(t, writeRelease(folder, goodRelease('first', '127.0.0.1:0')));
  await program.announced('ready');
  writeRelease(folder, goodRelease('second', '127.0.0.1:0', WAIT));
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('loaded');
  process.kill(program.pid, 'SIGTERM');
  const { message } = await program.announced('restart-failed');
  t.match(message, /^restart given up, because this process stops: the successor \(process \d+\) was stopped too/);
  t.notMatch(message, /keeps serving/);
  t.match(await program.exited, { code: 0 });
});
