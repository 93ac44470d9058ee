import net from 'node:net';
import t from 'tap';
import { Scan } from '../../../lib/move/scan.js';
import { type Onward } from '../../../lib/move/sender.js';
import { waitUntil } from '../../support/wait.js';

const SOCKETS = 5;

/** A scan of some sockets, and what it has offered. `way` is where they could move to. */
function scanOf(sockets: readonly net.Socket[]): {
  scan: Scan;
  offered: net.Socket[];
  rounds: () => number;
  way: { hasRoom: boolean; open: boolean };
  change: () => void;
} {
  const way = { hasRoom: true, open: true };
  let change = (): void => undefined;
  const onChange = (handler: () => void): void => {
    change = handler;
  };
  let rounds = 0;
  const offered: net.Socket[] = [];
  const scan = new Scan(Object.assign(way, { onChange, takes: () => true, send: () => Promise.resolve(true) }) satisfies Onward, {
    sockets: () => sockets.values(),
    offer: (socket) => offered.push(socket),
    onRound: () => {
      rounds += 1;
    },
  });
  return { scan, offered, rounds: () => rounds, way, change: () => change() };
}

const sockets = Array.from({ length: SOCKETS }, () => new net.Socket());

t.test('all are offered once in a round; the next one begins some time later, and not with each answer of the successor', async (t) => {
  const { scan, offered, rounds, change } = scanOf(sockets);
  scan.look();
  t.strictSame(offered, sockets);
  for (let answer = 0; answer < 100; answer += 1) change();
  t.equal(offered.length, SOCKETS);
  t.equal(rounds(), 1);
  await waitUntil('a second round', () => rounds() === 2);
  t.strictSame(offered, [...sockets, ...sockets]);
  scan.stop();
});

t.test('without room it waits, and goes on where it was', async (t) => {
  const { scan, offered, way, change } = scanOf(sockets);
  way.hasRoom = false;
  scan.look();
  t.strictSame(offered, []);
  way.hasRoom = true;
  change();
  t.strictSame(offered, sockets);
  scan.stop();
});

t.test('one that stands still is offered before the next round', async (t) => {
  const { scan, offered, change } = scanOf(sockets);
  scan.look();
  scan.first(sockets[3]!);
  change();
  t.strictSame(offered, [...sockets, sockets[3]]);
  scan.stop();
});

t.test('when the successor is gone nothing is offered', async (t) => {
  const { scan, offered, way } = scanOf(sockets);
  way.open = false;
  scan.look();
  t.strictSame(offered, []);
  t.notOk(scan.goesOn);
});
