import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { type Test } from 'tap';
import { freePort } from '../sockets.js';
import { waitUntil } from '../wait.js';

/** A program of others that passes requests on to one server, on connections that it keeps. */
export interface RunningProxy {
  /** Clients connect to it. */
  readonly port: number;
  /** How many connections to the server it has opened so far, by its own count; undefined if it has no count. */
  opened(): Promise<number | undefined>;
}

/** Connections that a proxy keeps to the server. */
const KEPT = 16;

/** @param server - `127.0.0.1:8080`, or the path of a unix socket. */
export async function startHaProxy(t: Test, folder: string, server: string): Promise<RunningProxy> {
  const stats = join(folder, 'stats.sock');
  const front = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `
global
  stats socket ${stats}
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${front}
  default_backend app
backend app
  http-reuse always
  server app ${server.startsWith('/') ? `unix@${server}` : server} pool-max-conn ${KEPT} pool-purge-delay 10m
`,
  );
  await run(t, 'haproxy', ['-db', '-f', file], front);
  const opened = async (): Promise<number> => {
    const rows = (await ask(stats, 'show stat')).split('\n').map((row) => row.split(','));
    // `connect`: connections that were established to the server, see the management guide, 9.1.
    const row = rows.find(([backend, server]) => backend === 'app' && server === 'app');
    return Number(row![rows[0]!.indexOf('connect')]);
  };
  return { port: front, opened };
}

/** nginx has no count of its own connections to a server. */
export async function startNginx(t: Test, folder: string, server: string): Promise<RunningProxy> {
  const front = await freePort();
  const file = join(folder, 'nginx.conf');
  mkdirSync(join(folder, 'temp'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${folder}/temp/${name};`);
  writeFileSync(
    file,
    `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
${temporary.join('\n')}
  upstream app {
    server ${server.startsWith('/') ? `unix:${server}` : server};
    keepalive ${KEPT};
    keepalive_requests 1000000;
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${front};
    keepalive_requests 1000000;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream off;
    }
  }
}
`,
  );
  await run(t, 'nginx', ['-p', folder, '-c', file], front);
  return { port: front, opened: () => Promise.resolve(undefined) };
}

async function run(t: Test, program: string, args: readonly string[], port: number): Promise<void> {
  const process = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  process.stderr.on('data', (data: Buffer) => {
    stderr += String(data);
  });
  const exited = once(process, 'exit');
  t.teardown(async () => {
    process.kill('SIGKILL');
    await exited;
  });
  await waitUntil(
    program,
    async () => process.exitCode !== null || (await accepts(port)),
    () => stderr,
  );
  if (process.exitCode !== null) throw new Error(`${program}: ${stderr}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    let text = '';
    socket.on('data', (data: Buffer) => {
      text += String(data);
    });
    socket.on('error', reject).on('close', () => resolve(text));
    socket.write(`${command}\n`);
  });
}
