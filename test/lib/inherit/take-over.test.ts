import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { formatAddress, parseAddress } from '../../../lib/address/address.js';
import { PidFile } from '../../../lib/inherit/pid-file.js';
import { type TakeOver, takeOver } from '../../../lib/inherit/take-over.js';
import { bindTcp } from '../../../lib/socket/bind.js';
import { GraceListener } from '../../../lib/socket/listener.js';
import { fails } from '../../support/errors.js';
import { scratch } from '../../support/scratch.js';
import { descriptorOf, freePort, listening } from '../../support/sockets.js';

const TAKES = ['http/1.1 3'];

/** A successor with an inherited socket and a new address. What it does is recorded. */
interface Start {
  readonly events: string[];
  readonly port: number;
  readonly added: GraceListener;
  /** All that takeOver() needs; its predecessor acknowledges at once. */
  readonly parts: TakeOver;
}

async function successor(t: Test, pidFile?: string): Promise<Start> {
  const events: string[] = [];
  const shared = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const inherited = new GraceListener(
    {
      kind: 'listening',
      inherited: true,
      socket: {
        ...{ fd: descriptorOf(shared), origin: 'bound', name: undefined },
        ...{ asked: undefined, bound: undefined, backlog: undefined, file: undefined },
      },
      accept: () => events.push('the inherited socket accepts'),
    },
    parseAddress(':0'),
    { waits: true },
  );
  await inherited.serve(shared);
  const address = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;
  const added = new GraceListener({ kind: 'bound', socket: await bindTcp(address), draft: undefined }, address, { waits: true });
  t.teardown(() => [inherited, added].forEach((listener) => listener.release()));
  const server = net.createServer().on('listening', () => events.push('the new address accepts'));
  await added.serve(server);
  t.equal(added.asked, formatAddress(address));
  const parts: TakeOver = {
    sockets: [inherited, added],
    predecessor: {
      ready: (kept, takes) => {
        t.strictSame({ kept, takes }, { kept: [inherited.fd, added.fd], takes: TAKES });
        events.push('the predecessor is told');
        return Promise.resolve();
      },
    },
    pidFile: pidFile === undefined ? undefined : new PidFile(pidFile),
    takes: TAKES,
    prepare: () => events.push('prepares'),
    stopped: () => false,
  };
  return { events, port: address.port, added, parts };
}

t.test('new addresses are tried before the predecessor is told, and inherited sockets accept after it', async (t) => {
  const { events, parts } = await successor(t);
  t.equal(await takeOver(parts), true);
  t.strictSame(events, ['the new address accepts', 'the predecessor is told', 'the inherited socket accepts', 'prepares']);
});

t.test('a new address that another server took: the predecessor is not told, and the inherited socket does not accept', async (t) => {
  const { events, port, parts } = await successor(t);
  await listening(t, net.createServer(), { port, host: '127.0.0.1' });
  const value = `127.0.0.1:${port}`;
  await fails(t, () => takeOver(parts), { code: 'ADDRESS_IN_USE', subject: 'address', value }, 'taken');
  t.strictSame(events, []);
});

t.test('a pid file that cannot be written: no address accepts, and the predecessor is not told', async (t) => {
  const value = join(scratch(t), 'missing', 'app.pid');
  const { events, parts } = await successor(t, value);
  await fails(t, () => takeOver(parts), { code: 'PID_FILE', subject: 'pidFile', value }, 'no such folder');
  t.strictSame(events, []);
});

t.test('the pid file names this process when the predecessor has acknowledged, and not before', async (t) => {
  const pidFile = join(scratch(t), 'app.pid');
  const { parts } = await successor(t, pidFile);
  const ready = async (): Promise<void> => {
    await new Promise((done) => setImmediate(done));
    t.notOk(existsSync(pidFile), 'it names the predecessor still');
  };
  t.equal(await takeOver({ ...parts, predecessor: { ready } }), true);
  t.equal(readFileSync(pidFile, 'utf8'), `${process.pid}\n`);
});

t.test('a successor that was told to stop while it waits takes nothing over', async (t) => {
  const pidFile = join(scratch(t), 'app.pid');
  const { parts } = await successor(t, pidFile);
  let stopped = false;
  const ready = async (): Promise<void> => {
    await new Promise((done) => setImmediate(done));
    stopped = true;
  };
  t.equal(await takeOver({ ...parts, predecessor: { ready }, stopped: () => stopped }), false);
  t.notOk(existsSync(pidFile), 'the pid file names the predecessor, or nobody');
});

t.test('without a predecessor all sockets accept at once', async (t) => {
  const { events, added, parts } = await successor(t);
  t.equal(await takeOver({ ...parts, predecessor: undefined }), true);
  t.ok(added.listening);
  t.strictSame(events, ['the new address accepts', 'the inherited socket accepts', 'prepares']);
});
