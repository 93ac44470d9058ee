import { type App } from '../app.js';

/** What `/status` answers; a limit of null is none. */
export function status(app: App): object {
  const { state, reason, generation, predecessor, history } = app;
  return {
    pid: process.pid,
    generation,
    predecessor,
    state,
    reason,
    uptime: process.uptime(),
    node: process.version,
    ...history,
    servers: app.servers.map(({ listener, traffic, throttle }) => ({
      name: listener.name,
      address: listener.address,
      asked: listener.asked,
      origin: listener.origin,
      inherited: listener.inherited,
      ...traffic,
      free: throttle.free,
    })),
  };
}
