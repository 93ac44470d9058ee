import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type GraceError } from '../../../lib/errors.js';
import { Successor } from '../../../lib/handoff/successor.js';
import { failureOf } from '../../support/errors.js';
import { scratch } from '../../support/scratch.js';

const NONCE = 'the nonce';
const [ACKNOWLEDGED, NOT_ACKNOWLEDGED, ON_ITS_OWN] = [7, 5, 3];

/**
 * A successor that says that it is ready when it begins, or when it is told to stop. It exits when the predecessor
 * has read that, as it is told then or its pipe is closed; the exit code says whether it was acknowledged.
 */
const program = (when: 'at once' | 'when told to stop', nonce: string): string => `
  import net from 'node:net';
  const pipe = new net.Socket({ fd: 3 });
  const say = (message) => pipe.write(JSON.stringify(message) + '\\n');
  let heard = '';
  pipe.setEncoding('utf8').on('data', (text) => {
    heard += text;
    if (heard.includes('"news"')) leave(${NOT_ACKNOWLEDGED});
  });
  const leave = (code) => process.exit(heard.includes('"yours"') ? ${ACKNOWLEDGED} : code);
  pipe.on('end', () => leave(${ON_ITS_OWN}));
  const sayReady = () => {
    say({ type: 'ready', nonce: '${nonce}', pid: process.pid, kept: [], waits: true });
    say({ type: 'ask', key: 'said', value: 'ready' });
  };
  process.on('SIGTERM', () => ${when === 'at once' ? 'undefined' : 'sayReady()'});
  ${when === 'at once' ? 'sayReady();' : "say({ type: 'ask', key: 'said', value: 'started' });"}
`;

/** Starts a successor. `onStarted` is called when one that is not ready has started. */
function startSuccessor(t: Test, text: string, onStarted: (successor: Successor) => void): Successor {
  const path = join(scratch(t), 'successor.mjs');
  writeFileSync(path, text);
  const successor = new Successor({
    nonce: NONCE,
    command: { file: process.execPath, args: [path], cwd: '/' },
    env: { PATH: process.env['PATH'] ?? '' },
    generation: 2,
    sockets: [],
    state: {},
    timeout: 20_000,
    follow: undefined,
    program: undefined,
    moves: false,
    watches: false,
    onAsk: (_key, value) => {
      if (value === 'started') onStarted(successor);
      else successor.tell('said', 'heard');
    },
  });
  t.teardown(() => successor.kill());
  return successor;
}

const CASES = [
  { name: 'a successor that is ready is acknowledged', when: 'at once', nonce: NONCE, exitCode: ACKNOWLEDGED },
  { name: 'one that does not know the nonce is not', when: 'at once', nonce: 'another', exitCode: NOT_ACKNOWLEDGED },
  {
    name: 'one that was given up before is not, and what it asks is answered by the end of the pipe',
    when: 'when told to stop',
    nonce: NONCE,
    exitCode: ON_ITS_OWN,
  },
] as const;

for (const { name, when, nonce, exitCode } of CASES) {
  t.test(name, async (t) => {
    const successor = startSuccessor(t, program(when, nonce), (started) => started.stop('was given up'));
    const error = (await failureOf(() => successor.serving)) as GraceError;
    t.match(error, { code: 'RESTART_FAILED', exitCode });
    t.match(error.message, when === 'at once' ? 'exited with code' : 'was given up');
  });
}

/** Longer than a successor that has failed is given after SIGTERM. */
const SLOW_MS = 2_300;

for (const [what, drainDelay, ending] of [
  ['has time for it', 1_000, { exitCode: 0, signal: null }],
  ['is killed if it has none', 0, { exitCode: null, signal: 'SIGKILL' }],
] as const) {
  t.test(`a successor that goes on accepting when it is stopped ${what}`, async (t) => {
    const text = `
      import { writeSync } from 'node:fs';
      process.on('SIGTERM', () => setTimeout(() => process.exit(0), ${SLOW_MS}));
      writeSync(3, JSON.stringify({ type: 'ask', key: 'said', value: 'started' }) + '\\n');
      setInterval(() => undefined, 1_000);
    `;
    const successor = startSuccessor(t, text, (started) => started.stop('was stopped too', drainDelay));
    t.match(await failureOf(() => successor.serving), ending);
  });
}
