import http from 'node:http';

let longest = 0;

export function makeServer(): http.Server {
  const server = http.createServer((_, response) => {
    response.setHeader('x-pid', process.pid);
    response.end('hello');
  });
  server.keepAliveTimeout = 0;
  return server;
}

/** Prints facts for the benchmark, one JSON object a line; `age` is in milliseconds. */
export function tell(facts: object): void {
  process.stdout.write(`${JSON.stringify({ pid: process.pid, age: performance.now(), ...facts })}\n`);
}

/** SIGHUP asks for the memory in use; SIGWINCH begins to measure how long the event loop is blocked. */
export function tellOnSignals(): void {
  process.on('SIGHUP', () => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    tell({ memory: heapUsed + external });
  });
  process.once('SIGWINCH', () => {
    let last = performance.now();
    const watch = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      setImmediate(watch);
    };
    watch();
    tell({ watching: 1 });
  });
}

/** The longest time, in milliseconds, for which the event loop was blocked. */
export function longestStall(): number {
  return longest;
}
