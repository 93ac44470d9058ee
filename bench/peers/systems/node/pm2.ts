import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { nodeProgram, packageCommand, packageVersion } from '../../run/node-packages.js';
import { type System } from '../system.js';

/**
 * PM2's pages "Cluster Mode" and "Graceful Shutdown": `pm2 reload` of two workers in cluster mode, which close their server on
 * SIGINT. `kill_timeout` is 1.6 s by default. The time that the command itself takes is part of the restart.
 */
export const pm2: System = {
  name: 'pm2',
  title: 'pm2 reload, cluster mode',
  group: 'Node.js',
  restarts: 'pm2 reload',
  version: () => packageVersion('pm2'),
  start: async (place) => {
    const env = { PM2_HOME: place.path('pm2'), PM2_DISABLE_VERSION_CHECK: 'true' };
    const app = { name: 'app', script: nodeProgram('pm2.mjs'), exec_mode: 'cluster', instances: 2, cwd: place.folder };
    const file = place.write('ecosystem.config.cjs', `module.exports = ${JSON.stringify({ apps: [app] })}`);
    const run = (...args: string[]): Promise<unknown> => once(place.spawn(packageCommand('pm2'), args, env), 'exit');
    await run('start', file);
    place.addSession(Number(readFileSync(place.path('pm2/pm2.pid'), 'utf8')));
    return { restart: async () => void (await run('reload', 'app')) };
  },
};
