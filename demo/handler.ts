import { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { requestUrl } from '../gracehttp/health/request-url.js';
import { parseDuration } from './duration.js';
import { page } from './page.js';

const started = new Date();

/** The handler of one server of the demo: `/sleep/?duration=20s` answers after 20 s, `/` is a page to try it with. */
export function sleeper(name: string): RequestListener {
  return (request, response) => {
    const url = requestUrl(request.url);
    if (url?.pathname.replace(/\/$/, '') === '/sleep') sleep(name, url, request, response);
    else if (url?.pathname === '/') reply(response, 200, 'text/html', page(name, process.pid, started));
    else reply(response, 404, 'text/plain', 'Not found. Try /sleep/?duration=20s.\n');
  };
}

function sleep(name: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const text = url.searchParams.get('duration') ?? '0';
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    reply(response, 400, 'text/plain', `duration=${text} is not a duration, expected for example 300ms, 20s or 1m30s\n`);
    return;
  }
  const timer = setTimeout(() => {
    const times = `started at ${started.toISOString()}, slept for ${milliseconds} ms`;
    reply(response, 200, 'text/plain', `${name}: ${times}, pid ${process.pid}.\n`);
  }, milliseconds);
  response.once('close', () => clearTimeout(timer));
  request.resume();
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
