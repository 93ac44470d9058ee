import net from 'node:net';
import { type Test } from 'tap';
import { type Program } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';
import { type Client, FrameworkLoad, PORT } from './clients.js';

export const RESTARTS = 5;
/** Answers that each generation gives at least. */
const ANSWERS = 40;

/**
 * Restarts a program that listens on {@link PORT} five times, and stops it, under load.
 *
 * @param unwanted - what its stderr must not contain.
 */
export async function survives(t: Test, program: Program, clients: readonly Client[], unwanted = /warning|cut off/): Promise<void> {
  let over = false;
  void program.exited.then(() => {
    over = true;
  });
  const report = (): string => `${program.report()}${program.output}`;
  await waitUntil('the program', async () => over || (await isOpen()), report);
  const load = new FrameworkLoad(clients);
  const answers = async (): Promise<void> => {
    const enough = load.answered + ANSWERS;
    await waitUntil('answers', () => load.answered >= enough || load.lost.length > 0, report);
  };
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    await answers();
    program.process.kill('SIGUSR2');
    await waitUntil(`restart ${restart}`, () => program.stderr.split('restarted: process').length > restart, report);
  }
  await answers();
  load.stopping = true;
  program.process.kill('SIGTERM');
  t.match(await program.exited, { code: 0, signal: null }, 'exit code 0');
  await load.ended();
  if (load.lost.length > 0) t.comment(report());
  t.strictSame(load.lost, [], `nothing is lost of ${load.answered} answers`);
  t.ok(load.resetByClose <= 1, `${load.resetByClose} connections came when the last socket was closed`);
  t.notMatch(program.stderr, unwanted, 'no warning');
  await program.ended();
}

function isOpen(): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(PORT, '127.0.0.1', () => done(true));
    socket.on('connect', () => socket.destroy()).on('error', () => done(false));
  });
}
