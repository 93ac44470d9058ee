import t from 'tap';
import { onReadyMessage } from '../../../gracehttp/auto/ready-message.js';

t.test("process.send('ready') is heard, with and without a parent", async (t) => {
  const program = process as { send?: ((...args: unknown[]) => boolean) | undefined };
  const { send } = program;
  t.teardown(() => {
    if (send === undefined) delete program.send;
    else program.send = send;
  });
  let ready = 0;
  delete program.send;
  onReadyMessage(() => (ready += 1));
  t.equal(program.send!('ready'), true);
  program.send!('other');
  t.equal(ready, 1);

  const sent: unknown[][] = [];
  program.send = (...args) => sent.push(args) === 0;
  onReadyMessage(() => (ready += 1));
  t.equal(program.send('ready', 'more'), false, 'what the parent’s send() says');
  program.send({ ready: true });
  t.equal(ready, 2);
  t.strictSame(sent, [['ready', 'more'], [{ ready: true }]], 'the parent gets everything');
});
