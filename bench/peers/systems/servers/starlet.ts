import { sourceFile } from '../../run/node-packages.js';
import { type System } from '../system.js';
import { bySignal, printedVersion } from '../ways.js';

/**
 * start_server(1) and Starlet(3pm), "hot deploy using Server::Starter". Each connection takes a worker, so there are more workers
 * than clients. Keep-alive is off by default; here it is on, and workers live longer than a turn.
 */
const STARLET = ['-s', 'Starlet', '--max-workers=20', '--max-keepalive-reqs=1000000', '--max-reqs-per-child=1000000'];

export const starlet: System = {
  name: 'starlet',
  title: 'Server::Starter with Starlet',
  group: 'others',
  restarts: 'SIGHUP',
  version: () => {
    const starter = printedVersion('start_server', ['--version'], /^(\S+)/);
    return `${starter}, Starlet ${printedVersion('perl', ['-MStarlet', '-e', 'print $Starlet::VERSION'], /^([\d.]+)$/)}`;
  },
  start: (place) => {
    const app = ['plackup', '-E', 'production', ...STARLET, sourceFile('programs/servers/app.psgi')];
    return bySignal(place.spawn('start_server', [`--port=127.0.0.1:${place.port}`, '--', ...app]), 'SIGHUP');
  },
};
