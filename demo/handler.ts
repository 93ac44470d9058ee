import { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type App } from 'ts-grace/gracehttp';
import { requestUrl } from '../gracehttp/health/request-url.js';
import { readAssets } from './assets.js';
import { parseDuration } from './duration.js';
import { RELEASES, environmentOf } from './release.js';
import { isForeign } from './same-origin.js';

const started = new Date();

/** The page runs its own scripts and talks to its own server, nothing else. */
const PAGE_HEADERS = { 'Content-Security-Policy': "default-src 'self'; img-src data:; frame-ancestors 'none'" };

interface Exchange {
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * The handler of one server of the demo:
 *
 * - `/` is the page, and `/page/…` its files;
 * - `/sleep/?duration=20s` answers after 20 s, as go.grace's demo does;
 * - `/answer` says which process answers; with `?after=8s` the head comes at once and the rest later;
 * - `POST /restart?release=good` restarts, and says how that went.
 */
export function handler(name: string, app: App): RequestListener {
  const assets = readAssets();
  const page = assets.get('/page/index.html')!.text.replaceAll('{{name}}', name);
  return (request, response) => {
    const url = requestUrl(request.url);
    if (url === undefined) return notFound(response);
    const exchange = { url, request, response };
    request.resume();
    switch (url.pathname) {
      case '/':
        return reply(response, 200, 'text/html', page, PAGE_HEADERS);
      case '/sleep':
      case '/sleep/':
        return sleep(name, exchange);
      case '/answer':
        return answer(app, exchange);
      case '/restart':
        return void restart(app, exchange);
      default: {
        const asset = assets.get(url.pathname);
        if (asset === undefined) notFound(response);
        else reply(response, 200, asset.type, asset.text);
      }
    }
  };
}

function sleep(name: string, { url, response }: Exchange): void {
  const milliseconds = readDuration('duration', url, response);
  if (milliseconds === undefined) return;
  later(response, milliseconds, () => {
    const times = `started at ${started.toISOString()}, slept for ${milliseconds} ms`;
    reply(response, 200, 'text/plain', `${name}: ${times}, pid ${process.pid}.\n`);
  });
}

function answer({ generation }: App, { url, response }: Exchange): void {
  const milliseconds = readDuration('after', url, response);
  if (milliseconds === undefined) return;
  const body = `${JSON.stringify({ pid: process.pid, generation })}\n`;
  writeHead(response, 200, 'application/json', body);
  if (milliseconds === 0) return void response.end(body);
  response.flushHeaders();
  later(response, milliseconds, () => response.end(body));
}

async function restart(app: App, { url, request, response }: Exchange): Promise<void> {
  const release = RELEASES.find((known) => known === (url.searchParams.get('release') ?? 'good'));
  if (request.method !== 'POST') return reply(response, 405, 'text/plain', 'A restart is a POST.\n', { Allow: 'POST' });
  if (isForeign(request)) return reply(response, 403, 'text/plain', 'Only the page of this server may restart it.\n');
  if (release === undefined) return reply(response, 400, 'text/plain', `expected a release of: ${RELEASES.join(', ')}\n`);
  try {
    const { pid } = await app.restart({ env: environmentOf(release) });
    reply(response, 200, 'text/plain', `Process ${pid} serves.\n`);
  } catch (error) {
    reply(response, 500, 'text/plain', `${(error as Error).message}\n`);
  }
}

function readDuration(name: string, url: URL, response: ServerResponse): number | undefined {
  const text = url.searchParams.get(name) ?? '0';
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    reply(response, 400, 'text/plain', `${name}=${text} is not a duration, expected for example 300ms, 20s or 1m30s\n`);
  }
  return milliseconds;
}

function later(response: ServerResponse, milliseconds: number, then: () => void): void {
  const timer = setTimeout(then, milliseconds);
  response.once('close', () => clearTimeout(timer));
}

function notFound(response: ServerResponse): void {
  reply(response, 404, 'text/plain', 'Not found. Try /sleep/?duration=20s.\n');
}

function reply(response: ServerResponse, status: number, type: string, body: string, headers: Record<string, string> = {}): void {
  writeHead(response, status, type, body, headers);
  response.end(body);
}

function writeHead(response: ServerResponse, status: number, type: string, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Demo-Pid': process.pid,
    ...headers,
  });
}
