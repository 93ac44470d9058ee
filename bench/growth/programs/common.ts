import { writeSync } from 'node:fs';
import http from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 2;

/** Prints facts for the benchmark, one JSON object a line; also at exit. */
export function tell(facts: object): void {
  writeSync(1, `${JSON.stringify({ pid: process.pid, ...facts })}\n`);
}

export function makeServer(): http.Server {
  const server = http.createServer((_, response) => {
    const body = JSON.stringify({ hello: 'world', pid: process.pid });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
  server.keepAliveTimeout = 0;
  return server;
}

/** Tells when a server has as many connections as `EXPECT` says. */
export function tellConnections(server: http.Server): void {
  const expected = Number(process.env['EXPECT'] ?? Number.NaN);
  let count = 0;
  let told = false;
  server.on('connection', (socket) => {
    count += 1;
    socket.once('close', () => (count -= 1));
    if (count < expected || told) return;
    told = true;
    tell({ connections: count });
  });
}

/** SIGHUP asks for the memory in use. SIGWINCH measures anew how long the event loop is blocked, which is told at exit, and at SIGHUP. */
export function tellOnSignals(): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const stall = (): number => Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
  delays.enable();
  process.on('SIGWINCH', () => {
    delays.reset();
    tell({ watching: 1 });
  });
  process.on('SIGHUP', () => {
    const longest = stall();
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    tell({ heap: heapUsed + external, resident: process.memoryUsage.rss(), stall: longest });
  });
  process.on('exit', () => tell({ lastStall: stall() }));
}

/** `LISTENERS` addresses, each with a port of its own. */
export const LISTENERS = Number(process.env['LISTENERS'] ?? 1);
