import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { getBody } from '../support/http/client.js';
import { isAlive } from '../support/proc.js';
import { waitUntil } from '../support/wait.js';

const DEMO = fileURLToPath(new URL('../../demo/main.js', import.meta.url));

interface Demo {
  readonly process: ChildProcess;
  output(): string;
}

function startDemo(t: Test, ...args: string[]): Demo {
  const child = spawn('env', ['-i', `PATH=${process.env['PATH']}`, process.execPath, DEMO, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const closed = once(child, 'close');
  t.teardown(async () => {
    for (const [, pid] of output.matchAll(/pid (\d+)/g)) if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
    if (child.exitCode === null) child.kill('SIGKILL');
    await closed;
  });
  return { process: child, output: () => output };
}

t.test('the demo does what the readme shows', async (t) => {
  const demo = startDemo(t, '--a0', ':0', '--a1', ':0', '--a2', ':0');
  const serving = /^Serving (\[::\]:\d+), (\[::\]:\d+), (\[::\]:\d+) with pid (\d+)\.$/m;
  await waitUntil('the first line', () => serving.test(demo.output()), demo.output);
  const [, a0 = '', a1 = '', a2 = '', pid] = serving.exec(demo.output())!;
  t.equal(Number(pid), demo.process.pid);

  const slow = getBody(a0, '/sleep/?duration=1s500ms');
  await getBody(a0, '/sleep/?duration=0');
  process.kill(Number(pid), 'SIGUSR2');
  const handoff = /^Graceful handoff of (.*) with new pid (\d+) and old pid (\d+)$/m;
  await waitUntil('the hand-over', () => handoff.test(demo.output()), demo.output);
  const [, where, newPid, oldPid] = handoff.exec(demo.output())!;
  t.equal(where, `${a0}, ${a1}, ${a2}`);
  t.equal(oldPid, pid);
  t.match(await getBody(a1, '/sleep/?duration=10ms'), new RegExp(`^One: started at .*Z, slept for 10 ms, pid ${newPid}\\.$`, 'm'));
  t.match(await slow, new RegExp(`^Zero: started at .*Z, slept for 1500 ms, pid ${pid}\\.$`, 'm'));
  await waitUntil('the old process to exit', () => demo.output().includes(`Exiting pid ${pid}.`), demo.output);

  t.match(await getBody(a2), /<h1>Two<\/h1>/);
  for (const path of ['//', '//:99999/', '/nothing']) t.match(await getBody(a2, path), /^Not found/, path);
  for (const duration of ['3h', 'soon', '-1s', '1', '']) {
    t.match(await getBody(a0, `/sleep/?duration=${duration}`), /not a duration, expected for example/, duration);
  }
  process.kill(Number(newPid), 'SIGTERM');
  await waitUntil('the new process to exit', () => demo.output().includes(`Exiting pid ${newPid}.`), demo.output);
});

t.test('an unknown flag and an invalid address are errors', async (t) => {
  for (const [args, code, message] of [
    [['--a3', ':1'], 2, /usage: npm run demo/],
    [['--a0', 'nonsense:x'], 1, /cannot read the address "nonsense:x"/],
  ] as const) {
    const demo = startDemo(t, ...args);
    t.same(await once(demo.process, 'close'), [code, null]);
    t.match(demo.output(), message);
  }
});
