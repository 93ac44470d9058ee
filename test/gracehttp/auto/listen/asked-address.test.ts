import { resolve } from 'node:path';
import t from 'tap';
import { formatAddress } from '../../../../lib/address/address.js';
import { askedAddress, isListed } from '../../../../gracehttp/auto/listen/asked-address.js';
import { type Asked } from '../../../../gracehttp/auto/listen/intercept.js';

const ASKED: Asked = { address: null, port: undefined, backlog: undefined, fd: undefined };

t.test('the address that listen() asks for', async (t) => {
  const table: readonly (readonly [what: string, asked: Partial<Asked>, address: string | undefined])[] = [
    ['a port', { port: 80 }, ':80'],
    ['a port of a host', { port: 80, address: '127.0.0.1' }, '127.0.0.1:80'],
    ['IPv6', { port: 80, address: '::1' }, '[::1]:80'],
    ['port 0', { port: 0, address: '127.0.0.1' }, undefined],
    ['a path', { address: '/run/app.sock' }, 'unix:/run/app.sock'],
    ['a relative path', { address: 'app.sock' }, `unix:${resolve('app.sock')}`],
    ['a path with the pid', { address: `/run/app-${process.pid}.sock` }, undefined],
    ['a path with a number that begins with the pid', { address: `/run/${process.pid}0.sock` }, `unix:/run/${process.pid}0.sock`],
    ['a descriptor', { fd: 3 }, 'fd:3'],
    ['nothing', {}, undefined],
  ];
  for (const [what, asked, expected] of table) {
    const address = askedAddress({ ...ASKED, ...asked });
    t.equal(address === undefined ? undefined : formatAddress(address), expected, what);
  }
});

t.test('GRACE_LISTEN', async (t) => {
  const table: readonly (readonly [asked: Partial<Asked>, list: readonly string[] | undefined, listed: boolean])[] = [
    [{ port: 80 }, undefined, true],
    [{ port: 80 }, [], false],
    [{ port: 80 }, [':81'], false],
    [{ port: 80 }, [':81', ':80'], true],
    [{ port: 80, address: '127.0.0.1' }, [':80'], true],
    [{ port: 80, address: '127.0.0.1' }, ['127.0.0.1:80'], true],
    [{ port: 80, address: '127.0.0.2' }, ['127.0.0.1:80'], false],
    [{ address: '/run/app.sock' }, ['unix:/run/app.sock'], true],
    [{ address: resolve('app.sock') }, ['unix:app.sock'], true],
    [{ address: '/run/app.sock' }, ['unix:/run/other.sock', ':80'], false],
  ];
  for (const [asked, list, listed] of table) {
    const address = askedAddress({ ...ASKED, ...asked })!;
    t.equal(isListed(address, list), listed, `${formatAddress(address)} in ${String(list)}`);
  }
});
