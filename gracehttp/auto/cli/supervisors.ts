import { existsSync } from 'node:fs';

/** Programs that start others and watch them, by a variable that they set. */
const BY_VARIABLE: readonly (readonly [variable: string, name: string])[] = [
  ['NOTIFY_SOCKET', 'systemd (Type=notify): it is told the new main process'],
  ['LISTEN_FDS', 'systemd socket activation, or start_server: it passes sockets'],
  ['SERVER_STARTER_PORT', 'start_server: it passes sockets, and does the restarts (SIGHUP to it)'],
  ['pm_id', 'PM2: pm2 sendSignal SIGUSR2 NAME restarts; kill_timeout has to be more than drainTimeout'],
  ['KUBERNETES_SERVICE_HOST', 'Kubernetes: terminationGracePeriodSeconds has to be more than drainTimeout'],
  ['npm_lifecycle_event', 'npm: it passes SIGTERM and SIGINT on, and no SIGUSR2'],
];

/** What watches this process, as far as its environment tells. */
export function supervisors(env: NodeJS.ProcessEnv): readonly string[] {
  const found = BY_VARIABLE.filter(([variable]) => env[variable] !== undefined).map(([, name]) => name);
  if (env['NOTIFY_SOCKET'] === undefined && env['INVOCATION_ID'] !== undefined && process.ppid === 1)
    found.push('systemd (Type=simple or exec)');
  if (process.pid === 1 || existsSync('/.dockerenv')) found.push('a container');
  if (process.stdin.isTTY) found.push('a terminal');
  return found;
}

/** Whether a start_server runs this process. */
export function isPassed(): boolean {
  return process.env['SERVER_STARTER_GENERATION'] !== undefined;
}
