import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GraceError } from 'ts-grace';
import { restartServer, serverStatus, startServer, stopServer } from 'ts-grace/starter';
import { portOf } from '../../support/address.js';
import { converse } from '../../support/http/conversation.js';
import { isAlive } from '../../support/proc.js';
import { fixture, start } from '../../support/program.js';
import { writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { skipWithoutFlock, startStarter } from '../../support/starter.js';

t.setTimeout(110_000);

/** A program that runs startServer() with the options in its argument, and announces when it resolves. */
const PROGRAM = `
  import { startServer } from ${JSON.stringify(import.meta.resolve('ts-grace/starter'))};
  const say = (event, facts) => process.stdout.write(JSON.stringify({ event, pid: process.pid, ...facts }) + '\\n');
  await startServer(JSON.parse(process.argv[2]), { onBound: () => say('bound'), onMessage: (message) => say('message', { message }) });
  say('stopped');
`;
const ECHO = [process.execPath, fixture('echo'), '{"listen":":1"}'];

t.test('startServer, restartServer, serverStatus and stopServer as functions', { skip: skipWithoutFlock }, async (t) => {
  const folder = scratch(t);
  const [pidFile, statusFile] = [join(folder, 'pid'), join(folder, 'status')];
  const options = { exec: ECHO, port: '127.0.0.1:0', pidFile, statusFile };
  const program = start(t, writeRelease(folder, PROGRAM), { args: [JSON.stringify(options)] });
  await program.announced('bound');
  t.match(await program.announced('message'), { message: `start_server (pid:${program.pid}) starting now...` });
  const ready = await program.announced('ready');
  const where = { port: portOf(ready), host: '127.0.0.1' };
  t.equal(await converse(where, 1), ready.pid);

  const progress: { readonly generation: number; readonly up: boolean; readonly oldPids: readonly number[] }[] = [];
  const restarted = await restartServer({ pidFile, statusFile, timeout: 60 }, (step) => progress.push(step));
  const next = await program.announced('ready', 2);
  t.notOk(isAlive(ready.pid), 'it waited until the old worker had exited');
  t.equal(await converse(where, 1), next.pid);
  t.match(restarted, { generation: 2, up: true, oldPids: [] });
  t.match(progress[0], { generation: 2, oldPids: [ready.pid] }, 'it tells how far it is');
  t.match(serverStatus({ pidFile, statusFile }), { pid: program.pid, generation: 2, workers: [{ pid: next.pid, state: 'serving' }] });

  let told: number | undefined;
  await stopServer({ pidFile }, (pid) => {
    told = pid;
  });
  t.equal(told, program.pid);
  await program.ended();
  t.equal(program.all('stopped').length, 1, 'startServer() resolves');
  t.notOk(existsSync(pidFile) || existsSync(statusFile));
  const noFile = { name: 'GraceError', code: 'PID_FILE', subject: 'pid-file', value: pidFile };
  await t.rejects(restartServer({ pidFile, statusFile }), noFile);
  await t.rejects(stopServer({ pidFile }), noFile);
});

t.test('startServer rejects with a code, and leaves the process as it was', async (t) => {
  const before = process.listenerCount('SIGTERM');
  const failures: readonly (readonly [options: Parameters<typeof startServer>[0], code: string, subject: string])[] = [
    [{ exec: [] }, 'OPTION_INVALID', 'exec'],
    [{ exec: ['no-such-program'] }, 'PROGRAM_INVALID', 'exec'],
    [{ exec: ['true'], port: 'http' }, 'OPTION_INVALID', 'port'],
    [{ exec: ['true'], workers: 0 }, 'OPTION_INVALID', 'workers'],
    [{ exec: ['true'], port: '192.0.2.1:0' }, 'ADDRESS_NOT_AVAILABLE', 'port'],
  ];
  const quiet = { onMessage: () => undefined };
  for (const [options, code, subject] of failures) {
    const error = await startServer(options, quiet).catch((reason: unknown) => reason);
    t.ok(error instanceof GraceError);
    t.match(error, { code, subject }, code);
  }
  t.equal(process.listenerCount('SIGTERM'), before);
});

t.test('restart() under start_server rejects with RESTART_UNSUPPORTED, and the worker serves on', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--', ...ECHO]);
  const { pid, addresses } = await starter.program.announced('ready');
  process.kill(pid, 'SIGUSR1');
  t.match(await starter.program.announced('refused'), { pid, code: 'RESTART_UNSUPPORTED', subject: 'superdaemon', value: starter.pid });
  t.equal(await converse({ port: portOf((addresses as string[])[0]!), host: '127.0.0.1' }, 1), pid);
  t.match(await starter.stop(), { code: 0 });
});
