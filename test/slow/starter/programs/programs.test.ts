import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { scratch } from '../../../support/scratch.js';
import { skipUnless, skipUnlessFound, skipUnlessRuns } from '../../../support/skip.js';
import { freePort } from '../../../support/sockets.js';
import { startStarter } from '../../../support/starter.js';
import { waitUntil } from '../../../support/wait.js';
import { type Ask, Requests, askFastCgi, askHttp } from './requests.js';

t.setTimeout(300_000);

const DEPLOYS = 5;
const CLIENTS = 3;
const FIXTURES = fileURLToPath(new URL('../../../../../test/fixtures/programs', import.meta.url));
const QUIT = ['--signal-on-hup=QUIT', '--signal-on-term=QUIT'];

/** A program that has no ts-grace; docs/starter.md says the same for each. */
interface Program {
  readonly needs: string | false;
  /** Options of start_server beside the port. */
  readonly options?: readonly string[];
  /** The command, in a folder that has the fixtures. */
  command(port: number, folder: string): readonly string[];
  prepare?(port: number, folder: string): void;
  ask?(folder: string): Ask;
  /** At each deploy it may reset a connection by itself; docs/starter.md says why. */
  readonly resets?: boolean;
  /** It cannot tell its generation. */
  readonly anonymous?: boolean;
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  gunicorn: {
    needs: skipUnlessFound('gunicorn'),
    command: () => ['gunicorn', '--bind', 'fd://3', '--workers', '2', 'app:app'],
  },
  uWSGI: {
    needs: skipUnlessFound('uwsgi'),
    command: () => [
      ...['uwsgi', '--plugin', 'python3', '--http-socket', 'fd://3', '--wsgi', 'app:app', '--master', '--processes', '2'],
      ...['--disable-logging', '--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'],
    ],
  },
  uvicorn: {
    needs: skipUnlessFound('uvicorn'),
    command: () => ['uvicorn', '--fd', '3', '--no-access-log', 'app:asgi'],
    // uvicorn 0.17, H11Protocol.shutdown(): a connection whose request is not read yet is closed, which resets it.
    resets: true,
  },
  Starlet: {
    needs: skipUnlessRuns('perl', '-MPlack::Handler::Starlet', '-e', '1'),
    command: () => ['plackup', '-s', 'Starlet', '--max-workers=2', 'app.psgi'],
  },
  Starman: {
    needs: skipUnlessFound('starman'),
    options: QUIT,
    command: () => ['starman', '--workers', '2', 'app.psgi'],
    // Net::Server::PreFork 2.013, run_child(): a worker that is told to end exits if accept() has returned and `connected` is not set yet.
    resets: true,
  },
  Unicorn: {
    needs: skipUnlessFound('unicorn'),
    options: QUIT,
    command: (port) => ['env', 'UNICORN_FD=3', 'unicorn', '-l', `127.0.0.1:${port}`, 'config.ru'],
  },
  Puma: {
    needs: skipUnlessFound('puma'),
    options: ['--listen-fds'],
    command: (port) => ['puma', '-b', `tcp://127.0.0.1:${port}`, 'config.ru'],
  },
  Go: {
    needs: skipUnlessFound('go'),
    prepare: (_, folder) => {
      const env = { ...process.env, GOFLAGS: '-mod=mod', GO111MODULE: 'off', GOCACHE: join(folder, 'cache'), HOME: folder };
      const { status, stderr } = spawnSync('go', ['build', '-o', 'server', 'main.go'], { cwd: folder, env, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    },
    command: (_, folder) => [join(folder, 'server')],
  },
  nginx: {
    needs: skipUnlessFound('nginx'),
    options: ['--non-blocking', ...QUIT],
    prepare: (port, folder) => {
      const server = `server { listen 127.0.0.1:${port}; location / { return 200 hello; } }`;
      const conf = `daemon off; worker_processes 2; error_log stderr error; events {} http { access_log off; ${server} }`;
      writeFileSync(join(folder, 'nginx.conf'), conf);
    },
    command: () => ['sh', '-c', 'exec env NGINX="3;" nginx -p . -c nginx.conf -g "pid nginx.$SERVER_STARTER_GENERATION.pid;"'],
    anonymous: true,
  },
  h2o: {
    needs: skipUnlessFound('h2o'),
    prepare: (port, folder) => {
      writeFileSync(join(folder, 'index.html'), 'hello');
      const listen = `listen: { host: 127.0.0.1, port: ${port} }`;
      const user = process.getuid?.() === 0 ? 'user: root\n' : '';
      writeFileSync(
        join(folder, 'h2o.conf'),
        `${user}num-threads: 2\n${listen}\nhosts:\n  default:\n    paths:\n      /:\n        file.dir: ${folder}\n`,
      );
    },
    command: () => ['h2o', '-c', 'h2o.conf'],
    anonymous: true,
  },
  'PHP-FPM': {
    needs: skipUnless(() => phpFpm() !== undefined, 'not installed: php-fpm'),
    options: QUIT,
    prepare: (port, folder) => {
      const user = process.getuid?.() === 0 ? 'user = root\ngroup = root\n' : '';
      const pool = `[www]\nlisten = 127.0.0.1:${port}\n${user}clear_env = no\npm = static\npm.max_children = 2\n`;
      // Without this it ends requests that are under way.
      writeFileSync(join(folder, 'fpm.conf'), `[global]\nerror_log = ${folder}/error.log\nprocess_control_timeout = 10s\n${pool}`);
    },
    command: (_, folder) => ['sh', '-c', `exec env FPM_SOCKETS="$SERVER_STARTER_PORT" ${phpFpm()} -F -R -y ${join(folder, 'fpm.conf')}`],
    ask: (folder) => askFastCgi(join(folder, 'hello.php')),
  },
};

for (const [name, { needs, options = [], command, prepare, ask = () => askHttp, resets = false, anonymous = false }] of Object.entries(
  PROGRAMS,
)) {
  t.test(
    `${name}: ${DEPLOYS} deploys under load lose ${resets ? 'only what it resets by itself' : 'no request'}`,
    { skip: needs },
    async (t) => {
      const folder = scratch(t);
      cpSync(FIXTURES, folder, { recursive: true });
      const port = await freePort();
      prepare?.(port, folder);
      const args = [`--port=127.0.0.1:${port}`, '--interval=1', `--dir=${folder}`, ...options, '--', ...command(port, folder)];
      const starter = startStarter(t, args, { env: { PYTHONPATH: folder } });
      await waitUntil(
        'generation 1',
        () => starter.status().startsWith('1:'),
        () => starter.program.report(),
      );
      const request = ask(folder);
      await waitUntil(
        'an answer',
        () =>
          request(port).then(
            ({ body }) => body === 'hello',
            () => false,
          ),
        () => starter.program.report(),
      );
      const load = new Requests(port, request, CLIENTS);
      t.teardown(() => load.end());
      for (let deploy = 1; deploy <= DEPLOYS; deploy += 1) {
        starter.signal('SIGHUP');
        // h2o can end in the middle of a line, so the message need not be at the beginning of one.
        await starter.said(/old worker \d+ died/, deploy);
        if (!anonymous) await load.answeredBy(deploy + 1);
      }
      await load.end();
      const isReset = (error: string): boolean => /ECONNRESET|hang up/.test(error);
      const lost = [...load.lost.filter((error) => !isReset(error)), ...load.lost.filter(isReset).slice(resets ? DEPLOYS : 0)];
      t.strictSame(lost, [], `no request is lost\n${lost.length > 0 ? starter.program.stderr : ''}`);
      const answered = [...load.generations.values()].reduce((sum, count) => sum + count, 0);
      t.ok(answered > DEPLOYS * CLIENTS, `${answered} requests answered`);
      t.equal(starter.messages.filter((line) => line.includes('starting new worker')).length, DEPLOYS + 1, 'no start failed');
      t.match(await starter.stop(), { code: 0 });
    },
  );
}

/** Debian names it after its version. */
function phpFpm(): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', 'ls /usr/sbin/php-fpm* 2>/dev/null | tail -n 1'], { encoding: 'utf8' });
  return stdout.trim() === '' ? undefined : stdout.trim();
}
