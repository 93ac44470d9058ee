import t from 'tap';
import { parsePort } from '../../../starter/sockets/port.js';

t.test('valid ports, as Server::Starter reads them', async (t) => {
  const cases = {
    '80': { udp: false, host: '0.0.0.0', port: 80, fd: undefined, label: '80' },
    u443: { udp: true, host: '0.0.0.0', port: 443, fd: undefined, label: '443' },
    ' 80 = 5 ': { udp: false, host: '0.0.0.0', port: 80, fd: 5, label: '80' },
    '127.0.0.1:80': { udp: false, host: '127.0.0.1', port: 80, fd: undefined, label: '127.0.0.1:80' },
    '0.0.0.0:u443': { udp: true, host: '0.0.0.0', port: 443, fd: undefined, label: '0.0.0.0:443' },
    '127.0.0.1:80=0': { udp: false, host: '127.0.0.1', port: 80, fd: 0, label: '127.0.0.1:80' },
    '[127.0.0.1]:80': { udp: false, host: '127.0.0.1', port: 80, fd: undefined, label: '127.0.0.1:80' },
    '[::1]:80=7': { udp: false, host: '::1', port: 80, fd: 7, label: '[::1]:80' },
    '::1:80': { udp: false, host: '::1', port: 80, fd: undefined, label: '[::1]:80' },
    '[::]:u53': { udp: true, host: '::', port: 53, fd: undefined, label: '[::]:53' },
    'local-host.example:80': { udp: false, host: 'local-host.example', port: 80, fd: undefined, label: 'local-host.example:80' },
  };
  for (const [text, expected] of Object.entries(cases)) t.same(parsePort(text), expected, text);
  t.equal(parsePort(8080).port, 8080);
});

t.test('invalid ports', async (t) => {
  for (const text of [
    '',
    'http',
    '80=',
    '=3',
    '80=1',
    '80=2',
    '80=1024',
    '65536',
    ':80',
    '[::g]:80',
    '[local]:80',
    '300.1.1.1:80',
    '80u',
    '-1',
    'a b:80',
    'x=3:80',
  ]) {
    t.throws(() => parsePort(text), { code: 'OPTION_INVALID', subject: 'port', value: text }, text);
  }
});
