import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { type Handoff } from '../../../lib/handoff/handoff-variable.js';
import { type PredecessorMessage, type SuccessorMessage, formatMessage } from '../../../lib/handoff/messages.js';
import { readLines } from '../../../lib/handoff/lines.js';
import { type Program, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

const NONCE = 'the nonce';
const KEPT = [7, 8];
const LIBRARY = new URL('../../../lib/handoff/predecessor.js', import.meta.url).href;

/** A successor: it opens the conversation, says that it is ready, and serves when it may. */
const SUCCESSOR = `
  import { Predecessor } from ${JSON.stringify(LIBRARY)};
  const say = (event, facts) => process.stdout.write(JSON.stringify({ event, pid: process.pid, ...facts }) + '\\n');
  const timer = setInterval(() => {}, 1000);
  const predecessor = await Predecessor.open(JSON.parse(process.argv[2]), undefined);
  say('opened', { found: predecessor !== undefined, state: predecessor?.state });
  if (predecessor !== undefined) {
    predecessor.onRestart = () => say('restart');
    predecessor.onNews.set('key', (value) => say('news', { value }));
    predecessor.onGone.push(() => say('gone'));
    await predecessor.ready(${JSON.stringify(KEPT)});
    say('released');
    // More than the pipe holds.
    if (predecessor.state.talks) predecessor.ask('key', 'x'.repeat(1_000_000));
    predecessor.serving(${JSON.stringify(KEPT)});
    say('serves', { heard: predecessor.ask('key', 'question') });
  }
  process.on('SIGTERM', () => process.exit());
`;

interface Conversation {
  readonly successor: Program;
  /** What the successor has written into the pipe. */
  readonly heard: SuccessorMessage[];
  readonly pipe: Duplex;
  tell(message: PredecessorMessage): void;
}

/** Starts a successor. This process speaks for the predecessor. */
function converse(t: Test, handoff: Partial<Handoff> = {}): Conversation {
  const path = join(scratch(t), 'successor.mjs');
  writeFileSync(path, SUCCESSOR);
  const all: Handoff = { pid: process.pid, generation: 2, pipe: 3, nonce: NONCE, sockets: [], ...handoff };
  const successor = start(t, path, { args: [JSON.stringify(all)], passed: ['pipe'] });
  const pipe = successor.process.stdio[3] as Duplex;
  const heard: SuccessorMessage[] = [];
  readLines(pipe, (line) => heard.push(JSON.parse(line) as SuccessorMessage));
  pipe.on('error', () => undefined);
  return { successor, heard, pipe, tell: (message) => pipe.write(formatMessage(message)) };
}

/** A process that stands for the predecessor where only its pid counts. */
function startOther(t: Test): ChildProcess {
  const other = spawn('sleep', ['1000'], { stdio: 'ignore' });
  t.teardown(() => other.kill('SIGKILL'));
  return other;
}

const hello = (facts: object = {}): PredecessorMessage => ({ type: 'hello', nonce: NONCE, state: { key: 'value' }, ...facts });

t.test('a successor waits for an acknowledgement with its nonce, and then says that it serves', async (t) => {
  const { successor, heard, tell } = converse(t);
  tell(hello({ acknowledges: true }));
  t.match(await successor.announced('opened'), { found: true, state: { key: 'value' } });
  await waitUntil('ready', () => heard.length === 1);
  t.strictSame(heard[0], { type: 'ready', nonce: NONCE, pid: successor.pid, kept: KEPT, waits: true });
  tell({ type: 'yours', nonce: 'another nonce' });
  tell({ type: 'restart' });
  tell({ type: 'news', key: 'another key', value: 1 });
  tell({ type: 'news', key: 'key', value: 2 });
  t.match(await successor.announced('news'), { value: 2 });
  t.equal(successor.all('news').length, 1, 'news that nobody waits for');
  t.equal(successor.all('restart').length, 1);
  t.equal(successor.all('released').length, 0, 'an acknowledgement for another one is none');
  tell({ type: 'yours', nonce: NONCE });
  t.match(await successor.announced('serves'), { heard: true });
  await waitUntil('the question', () => heard.length === 3);
  t.strictSame(heard.slice(1), [
    { type: 'serving', nonce: NONCE },
    { type: 'ask', key: 'key', value: 'question' },
  ]);
});

t.test('that it serves is said behind what is still on its way', async (t) => {
  const { heard, tell } = converse(t);
  tell(hello({ acknowledges: true, state: { talks: true } }));
  await waitUntil('ready', () => heard.length === 1);
  tell({ type: 'yours', nonce: NONCE });
  await waitUntil('all messages', () => heard.length === 4);
  t.strictSame(
    heard.map(({ type }) => type),
    ['ready', 'ask', 'serving', 'ask'],
  );
});

t.test('with a predecessor that does not acknowledge, a successor that is ready serves', async (t) => {
  const { successor, heard, tell, pipe } = converse(t);
  tell(hello());
  await successor.announced('serves');
  await waitUntil('ready', () => heard.length >= 1);
  t.strictSame(heard[0], { type: 'ready', nonce: NONCE, pid: successor.pid, kept: KEPT });
  tell({ type: 'restart' });
  await successor.announced('restart');
  pipe.end();
  await successor.announced('gone');
});

t.test('start_server hears at once that a program will say when it is ready', async (t) => {
  const { heard, tell } = converse(t, { superdaemon: true });
  tell(hello());
  await waitUntil('two messages', () => heard.length >= 2);
  t.strictSame(
    heard.slice(0, 2).map(({ type }) => type),
    ['starting', 'ready'],
  );
  t.match(heard[0], { nonce: NONCE });
});

t.test('a greeting that is not for this process means that the variable has leaked', async (t) => {
  const greetings: readonly (readonly [what: string, send: (conversation: Conversation) => void])[] = [
    ['another nonce', ({ tell }) => tell({ type: 'hello', nonce: 'another nonce', state: {} })],
    ['another message', ({ tell }) => tell({ type: 'yours', nonce: NONCE })],
    ['no message', ({ pipe }) => pipe.write('{broken\n')],
    ['the end', ({ pipe }) => pipe.end()],
    ['silence', () => undefined],
  ];
  for (const [what, send] of greetings) {
    const conversation = converse(t);
    send(conversation);
    t.match(await conversation.successor.announced('opened'), { found: false }, what);
    t.strictSame(conversation.heard, [], `${what}: nothing is answered`);
  }
});

t.test('a successor that waits for the acknowledgement of a predecessor goes on when that has died, and not before', async (t) => {
  const other = startOther(t);
  const { successor, heard, tell, pipe } = converse(t, { pid: other.pid! });
  tell(hello({ acknowledges: true }));
  await waitUntil('ready', () => heard.length === 1);
  pipe.end();
  await successor.announced('gone');
  t.equal(successor.all('released').length, 0, 'it may have given this one up, and serves on');
  other.kill('SIGKILL');
  await once(other, 'exit');
  t.match(await successor.announced('serves'), { heard: false }, 'nobody hears what it asks');
});
