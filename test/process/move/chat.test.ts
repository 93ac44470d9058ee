import t from 'tap';
import { WebSocket } from 'ws';
import { portsOf } from '../../support/address.js';
import { example, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const RESTARTS = 10;
const USERS = 8;

/** A user who says the next number when the one before has come back, and never connects again. */
class User {
  readonly name: string;
  /** What was heard of each user. */
  readonly heard = new Map<string, number[]>();
  readonly pids = new Set<string>();
  closed: number | undefined;
  said = 0;
  stopped = false;
  readonly ws: WebSocket;

  constructor(port: number, name: string, compress: boolean) {
    this.name = name;
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/?name=${name}`, { perMessageDeflate: compress });
    this.ws.on('message', (text) => this.#hear(String(text as Buffer)));
    this.ws.on('close', (code) => {
      this.closed = code;
    });
    this.ws.on('error', () => undefined);
  }

  say(): void {
    if (!this.stopped) this.ws.send(String((this.said += 1)));
  }

  #hear(line: string): void {
    const [, name = '', number, pid = ''] = /^(\w+): (\d+) (\d+)$/.exec(line) ?? [];
    const numbers = this.heard.get(name) ?? [];
    this.heard.set(name, [...numbers, Number(number)]);
    if (name !== this.name) return;
    this.pids.add(pid);
    setTimeout(() => this.say(), 5);
  }
}

t.test(`the example of a chat: nobody is disconnected in ${RESTARTS} restarts, and every line comes once to everybody`, async (t) => {
  const program = start(t, example('chat'), { args: ['127.0.0.1:0'] });
  const [port] = portsOf(await program.announced('ready'));
  const users = Array.from({ length: USERS }, (_, index) => new User(port!, `user${index}`, false));
  t.teardown(() => users.forEach(({ ws }) => ws.terminate()));
  await waitUntil('all users', () => users.every(({ ws }) => ws.readyState === WebSocket.OPEN));
  users.forEach((user) => user.say());
  for (let nth = 1; nth <= RESTARTS; nth += 1) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', nth + 1);
    const pid = String(program.serving);
    await waitUntil('every user to talk to the new process', () =>
      users.every(({ pids, closed }) => closed !== undefined || pids.has(pid)),
    );
  }
  for (const user of users) user.stopped = true;
  const complete = (): boolean => users.every(({ heard }) => users.every(({ name, said }) => (heard.get(name)?.length ?? 0) >= said));
  await waitUntil('every line to come to everybody', complete, () =>
    JSON.stringify(
      users.map(({ name, said, heard, closed }) => [name, said, closed, [...heard].map(([from, { length }]) => [from, length])]),
    ),
  );
  for (const { closed, heard, name, pids } of users) {
    t.equal(closed, undefined, 'not closed');
    t.equal(pids.size, RESTARTS + 1);
    t.ok(
      heard.get(name)!.every((number, index) => number === index + 1),
      'own lines in order',
    );
    for (const { name: other, said } of users) t.equal(new Set(heard.get(other)).size, said, 'every line of everybody');
    for (const [, numbers] of heard) t.equal(new Set(numbers).size, numbers.length, 'none comes twice');
  }
  t.comment(`${users.reduce((sum, { said }) => sum + said, 0)} lines to ${USERS} users`);
  users.forEach(({ ws }) => ws.terminate());
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});

t.test('after a restart was taken back, a stop says goodbye with 1012', async (t) => {
  const program = start(t, example('chat'), { args: ['127.0.0.1:0', '1500', 'compress'] });
  const [port] = portsOf(await program.announced('ready'));
  const join = async (name: string): Promise<User> => {
    const user = new User(port!, name, true);
    t.teardown(() => user.ws.terminate());
    await waitUntil(name, () => user.ws.readyState === WebSocket.OPEN);
    return user;
  };
  const first = await join('first');
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await waitUntil('the goodbye of the restart', () => first.closed === 1012);
  process.kill(pid, 'SIGKILL');
  await program.logged('restart taken back, this process serves again');
  const second = await join('second');
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 0 });
  t.equal(second.closed, 1012);
});

t.test('a client that compresses cannot move: it gets 1012 before the drain deadline, and another one has moved meanwhile', async (t) => {
  const program = start(t, example('chat'), { args: ['127.0.0.1:0', '3000', 'compress'] });
  const [port] = portsOf(await program.announced('ready'));
  const [compressing, plain] = [new User(port!, 'compressing', true), new User(port!, 'plain', false)];
  t.teardown(() => [compressing, plain].forEach(({ ws }) => ws.terminate()));
  await waitUntil('both users', () => [compressing, plain].every(({ ws }) => ws.readyState === WebSocket.OPEN));
  t.match(compressing.ws.extensions, 'permessage-deflate');
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', 2);
  plain.say();
  await waitUntil('the plain user to talk to the new process', () => plain.pids.has(String(program.serving)));
  await waitUntil('the close code', () => compressing.closed !== undefined);
  t.equal(compressing.closed, 1012);
  t.equal(plain.closed, undefined);
  plain.stopped = true;
  plain.ws.terminate();
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});
