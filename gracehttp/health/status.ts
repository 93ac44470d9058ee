import { type App } from '../app.js';

/** The body of `/status`. As JSON has no Infinity, a server without a limit has `limit` and `free` null. */
export function status(app: App): object {
  const { state, reason, generation, predecessor, totals } = app;
  return {
    pid: process.pid,
    generation,
    predecessor,
    state,
    reason,
    probation: app.probation.active,
    uptime: process.uptime(),
    node: process.version,
    ...totals,
    servers: app.servers.map(({ listener, traffic, connectionLimit }) => ({
      name: listener.name,
      address: listener.address,
      asked: listener.asked,
      origin: listener.origin,
      inherited: listener.inherited,
      ...traffic,
      free: connectionLimit.free,
    })),
  };
}
