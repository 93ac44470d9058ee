import { type ChildProcess } from 'node:child_process';
import { sourceFile } from '../../run/node-packages.js';
import { type Place } from '../../run/place.js';
import { type System } from '../system.js';
import { bySignal, printedVersion } from '../ways.js';

/** Each keep-alive connection takes a thread; the sync worker has no keep-alive. */
const THREADED = ['--worker-class=gthread', '--threads=16'];
const UVICORN = ['--worker-class=uvicorn.workers.UvicornWorker'];

function run(place: Place, options: readonly string[], app: string): ChildProcess {
  const folder = `--chdir=${sourceFile('programs/servers')}`;
  const pid = `--pid=${place.path('gunicorn.pid')}`;
  return place.spawn('gunicorn', ['--workers=2', ...options, folder, pid, `--bind=127.0.0.1:${place.port}`, app], {
    PYTHONDONTWRITEBYTECODE: '1',
  });
}

const version = (): string => printedVersion('gunicorn', ['--version'], /version (\S+?)\)/);

/** Gunicorn's page "Signal Handling": HUP starts new workers and shuts down the old ones gracefully. */
export const gunicornHup: System = {
  name: 'gunicorn-hup',
  title: 'gunicorn, HUP',
  group: 'others',
  restarts: 'SIGHUP',
  version,
  start: (place) => bySignal(run(place, THREADED, 'wsgi:app'), 'SIGHUP'),
};

/** The same page, "Upgrading to a new binary on the fly": USR2 starts a new master beside the old one, which gets TERM when the new one answers. */
export const gunicornUsr2: System = {
  name: 'gunicorn-usr2',
  title: 'gunicorn, USR2 and TERM',
  group: 'others',
  restarts: 'SIGUSR2, then SIGTERM',
  version,
  start: (place) => {
    const master = run(place, THREADED, 'wsgi:app');
    return {
      restart: async () => {
        const old = place.pids();
        master.kill('SIGUSR2');
        await place.answer(old);
        master.kill('SIGTERM');
      },
    };
  },
};

/** Uvicorn's page "Deployment": it recommends Gunicorn with the worker class of Uvicorn, which HUP reloads. */
export const uvicorn: System = {
  name: 'uvicorn',
  title: 'uvicorn under gunicorn, HUP',
  group: 'others',
  restarts: 'SIGHUP',
  version: () => `${printedVersion('uvicorn', ['--version'], /uvicorn (\S+)/)}, gunicorn ${version()}`,
  start: (place) => bySignal(run(place, UVICORN, 'asgi:app'), 'SIGHUP'),
};
