import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { isOpenSocket, isSocket, lookAt } from '../../../lib/check/file-type.js';
import { scratch } from '../../support/scratch.js';

t.test('a descriptor of a socket, of a file, and one that is closed', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.ok(isSocket((server as unknown as { _handle: { fd: number } })._handle.fd));
  await new Promise((done) => server.close(done));
  const fd = openSync(join(scratch(t), 'file'), 'w');
  t.notOk(isSocket(fd));
  t.notOk(isOpenSocket(fd));
  closeSync(fd);
  t.throws(() => fstatSync(fd), { code: 'EBADF' });
  t.throws(() => isSocket(fd), { code: 'EBADF' });
  t.notOk(isOpenSocket(fd));
});

t.test('a path: nothing, a file, and a link, which is not followed', async (t) => {
  const folder = scratch(t);
  const [file, link] = [join(folder, 'file'), join(folder, 'link')];
  t.equal(lookAt(file), undefined);
  writeFileSync(file, '');
  symlinkSync(file, link);
  t.ok(existsSync(link));
  t.ok(lookAt(file)!.isFile());
  t.ok(lookAt(link)!.isSymbolicLink());
});
