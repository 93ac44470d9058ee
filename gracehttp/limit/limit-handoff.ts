import { type Grace } from '../../lib/grace.js';
import { type ServedServer } from '../served-server.js';

/** What a successor needs to know of a server's limit. */
interface CarriedLimit {
  /** Set while running, so the successor keeps it; null for no limit (JSON has no Infinity). Undefined if it was not set. */
  readonly limit?: number | null;
}

/**
 * Keeps limits over a restart. A limit that was set while running is passed on
 * with the handoff. While the predecessor drains, its successor keeps the places
 * free that the predecessor's connections hold, so that both together stay within
 * the limit.
 */
export class LimitHandoff {
  readonly #grace: Grace;
  readonly #servers: ReadonlyMap<string, ServedServer>;

  /** Create it after the sockets are claimed and before they listen. */
  constructor(grace: Grace, servers: readonly ServedServer[]) {
    this.#grace = grace;
    this.#servers = new Map(servers.map((served) => [keyOf(served), served]));
    for (const [key, served] of this.#servers) {
      grace.carry(key, () => carried(served));
      served.connectionLimit.onEnd = () => this.#tell(key, served);
      const before = grace.carried(key) as CarriedLimit | null | undefined;
      if (before === undefined || before === null) continue;
      if (before.limit !== undefined) served.limit(before.limit ?? Infinity);
      // No place is free until the predecessor has stopped accepting and says how many connections it has left.
      const heard = grace.hear(
        key,
        (value) => {
          if (typeof value === 'number') this.#reserve(key, served, value);
        },
        () => this.#reserve(key, served, 0),
      );
      if (heard) this.#reserve(key, served, Infinity);
    }
    grace.on('draining', ({ reason }) => {
      if (reason === 'handover') for (const [key, served] of this.#servers) this.#tell(key, served);
    });
  }

  #reserve(key: string, served: ServedServer, places: number): void {
    served.connectionLimit.reserve(places);
    this.#tell(key, served);
  }

  /** Waiting connections of this process count too: they came first, so they get the next places. */
  #tell(key: string, { service, connectionLimit }: ServedServer): void {
    if (this.#grace.state !== 'draining' || connectionLimit.maximum === Infinity) return;
    this.#grace.tell(key, service.connections.size + connectionLimit.reserved);
  }
}

function keyOf({ listener: { asked, name } }: ServedServer): string {
  return `limit ${asked} ${name ?? ''}`;
}

/** Undefined if there is no limit and never was one: then the successor has no places to keep free. */
function carried({ connectionLimit: { maximum }, limitChanged }: ServedServer): CarriedLimit | undefined {
  const limit = maximum === Infinity ? null : maximum;
  if (limitChanged) return { limit };
  return limit === null ? undefined : {};
}
