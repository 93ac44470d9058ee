import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type BindableAddress } from '../../../lib/address/address.js';
import { bindTcp } from '../../../lib/socket/bind.js';
import { holderOf } from '../../../lib/socket/holder.js';
import { bindSocketFile } from '../../../lib/socket/socket-file.js';
import { fails } from '../../support/errors.js';
import { scratch } from '../../support/scratch.js';

const LISTENS = `
  const server = require('net').createServer().listen(JSON.parse(process.argv[1]), () => console.log(JSON.stringify(server.address())));
`;

/** Another process that listens; returns its pid and address. */
async function other(t: Test, options: object): Promise<{ pid: number; port: number }> {
  const child = spawn('env', ['-i', process.execPath, '-e', LISTENS, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { pid: child.pid!, ...(JSON.parse(String(line)) as { port: number }) };
}

t.test('ADDRESS_IN_USE names pid and command of the process that listens there', async (t) => {
  const { pid, port } = await other(t, { host: '127.0.0.1', port: 0 });
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const address = { kind: 'tcp', host, port } as const;
    const { message } = await fails(
      t,
      () => bindTcp(address),
      { code: 'ADDRESS_IN_USE', subject: 'address', value: `${host}:${port}` },
      host,
    );
    // A long command is cut off.
    t.match(message, `: process ${pid} (${`${process.execPath} -e const server`.slice(0, 70)}`);
    t.match(message, / listens there \(EADDRINUSE\)$/);
    t.notMatch(message, '\n');
  }
  const path = join(scratch(t), 'a.sock');
  const unix = await other(t, { path });
  const { message } = await fails(
    t,
    () => bindSocketFile({ kind: 'unix', path }),
    { code: 'ADDRESS_IN_USE', subject: 'address', value: `unix:${path}` },
    path,
  );
  t.match(message, `process ${unix.pid} (`);
});

t.test('nobody listens, or this process does', async (t) => {
  const bound = await bindTcp({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  t.equal(holderOf(bound.address), undefined, 'it is bound and does not listen');
  bound.close();
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const address: BindableAddress = { kind: 'tcp', host: '127.0.0.1', port };
  t.equal(holderOf(address), 'this process itself');
  t.equal(holderOf({ ...address, port: 0 }), undefined);
});
