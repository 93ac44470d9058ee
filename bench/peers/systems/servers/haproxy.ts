import { type System } from '../system.js';
import { bySignal, printedVersion } from '../ways.js';

/**
 * HAProxy's management guide, "Stopping and restarting HAProxy": in master-worker mode (`-W`) SIGUSR2 starts new workers, which get the
 * sockets, and the old ones stop softly. `idle-close-on-response` in its configuration manual: idle connections are then
 * closed after their next response, and no request is lost.
 */
function reloading(name: string, title: string, option: string): System {
  return {
    name,
    title,
    group: 'others',
    restarts: 'SIGUSR2',
    version: () => printedVersion('haproxy', ['-v'], /version (\S+)/),
    start: (place) => {
      const file = place.write(
        'haproxy.cfg',
        `
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:${place.port}
${option}
  http-request return status 200 content-type application/json lf-string '{"hello":"world","pid":%pid}'
`,
      );
      return bySignal(place.spawn('haproxy', ['-W', '-f', file]), 'SIGUSR2');
    },
  };
}

export const haproxy = reloading('haproxy', 'HAProxy, reload', '');
export const haproxyIdleClose = reloading('haproxy-idle-close', 'HAProxy, idle-close-on-response', '  option idle-close-on-response');
