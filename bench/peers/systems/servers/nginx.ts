import { type System } from '../system.js';
import { bySignal, printedVersion } from '../ways.js';

/**
 * "Controlling nginx" (nginx.org/en/docs/control.html): HUP starts new workers with the new configuration, and shuts down the
 * old ones gracefully. `keepalive_requests` is raised so that only a restart closes a connection.
 */
export const nginx: System = {
  name: 'nginx',
  title: 'nginx, reload',
  group: 'others',
  restarts: 'SIGHUP',
  version: () => printedVersion('nginx', ['-v'], /nginx\/(\S+)/),
  start: (place) => {
    const file = place.write(
      'nginx.conf',
      `
daemon off;
worker_processes 1;
pid ${place.path('nginx.pid')};
error_log ${place.path('error.log')};
events {}
http {
  access_log off;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${place.port};
    default_type application/json;
    location / { return 200 '{"hello":"world","pid":$pid}'; }
  }
}
`,
    );
    return bySignal(place.spawn('nginx', ['-c', file, '-e', place.path('error.log')]), 'SIGHUP');
  },
};
