import { type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import t from 'tap';
import { RETURN } from '../../../lib/move/messages.js';
import { ReturnedSockets } from '../../../lib/move/returned-sockets.js';

function arrivals(): { readonly returned: ReturnedSockets; readonly arrive: (fd: number) => void; readonly closed: number[] } {
  const successor = new EventEmitter();
  const closed: number[] = [];
  const arrive = (fd: number): void => {
    successor.emit('internalMessage', { cmd: RETURN, fd }, { fd, close: () => closed.push(fd) });
  };
  return { returned: new ReturnedSockets(successor as ChildProcess), arrive, closed };
}

t.test('sockets come in any order, and are taken in the order that is asked for', async (t) => {
  const { returned, arrive, closed } = arrivals();
  arrive(4);
  const taken = returned.take([3, 4]);
  arrive(3);
  t.match(await taken, [{ fd: 3 }, { fd: 4 }]);
  t.strictSame(closed, [], 'they are open');
});

t.test('sockets that nobody takes are closed, whenever they come', async (t) => {
  const { returned, arrive, closed } = arrivals();
  arrive(3);
  t.equal(await returned.take([3, 4]), undefined, 'one has not come');
  t.strictSame(closed, [3]);
  arrive(4);
  t.strictSame(closed, [3, 4]);
});

t.test('so are those of a process without probation', async (t) => {
  const { returned, arrive, closed } = arrivals();
  arrive(3);
  returned.close();
  arrive(4);
  t.strictSame(closed, [3, 4]);
});
