import net from 'node:net';
import t from 'tap';
import { FirstProcess } from '../../../lib/follow/first-process.js';
import { formatFollowMessage } from '../../../lib/follow/messages.js';
import { SelfSent } from '../../../lib/signals/self-sent.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

t.test('a first process that serves again leaves the pipe open: its end would stop the new process', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { client: generations, accepted: pipe } = await connected(t, server);
  let ended = false;
  generations.on('end', () => {
    ended = true;
  });
  const successor = { pid: 42, exited: Promise.resolve(7) };
  const first = new FirstProcess(pipe, successor, ['SIGUSR1'], new SelfSent([]));
  first.leave();
  t.equal(process.listenerCount('SIGUSR1'), 0, 'signals are for this process');
  generations.write(formatFollowMessage({ type: 'serving', pid: 43 }));
  generations.write(formatFollowMessage({ type: 'exit', pid: 43, code: 5 }));
  await waitUntil('all to be read', () => pipe.bytesRead === generations.bytesWritten);
  t.equal(ended, false);
  generations.end();
  t.equal(await first.ended, 5);
});
