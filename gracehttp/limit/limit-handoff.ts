import { type Grace } from '../../lib/grace.js';
import { type ServedServer } from '../served-server.js';

/** What a successor has to know of a server's limit. */
interface CarriedLimit {
  /** Set while running, and so to be gone on with; null for none (JSON has no Infinity). Undefined where not set. */
  readonly limit?: number | null;
}

/**
 * Keeps a limit over a restart. One that was set while running goes with the
 * handoff; and while the old process drains, the new one leaves the places free
 * that the old one's connections hold, so that both together stay within it.
 */
export class LimitHandoff {
  readonly #grace: Grace;
  readonly #servers: ReadonlyMap<string, ServedServer>;
  /** Places that predecessors hold, by server. */
  readonly #held = new Map<string, number>();

  /** To be made when the sockets are claimed and before they listen. */
  constructor(grace: Grace, servers: readonly ServedServer[]) {
    this.#grace = grace;
    this.#servers = new Map(servers.map((served) => [keyOf(served), served]));
    for (const [key, served] of this.#servers) {
      grace.carry(key, () => carried(served));
      served.throttle.onEnd = () => this.#tell(key, served);
      const before = grace.carried(key) as CarriedLimit | null | undefined;
      if (before === undefined || before === null) continue;
      if (before.limit !== undefined) served.limit(before.limit ?? Infinity);
      // Until the old process has stopped accepting and says how many it has left.
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
    this.#held.set(key, places);
    served.throttle.reserve(places);
    this.#tell(key, served);
  }

  /** Those of this process that wait count too: they get the next places, as they came first. */
  #tell(key: string, { service, throttle }: ServedServer): void {
    if (this.#grace.state !== 'draining' || throttle.maximum === Infinity) return;
    this.#grace.tell(key, service.connections.size + (this.#held.get(key) ?? 0));
  }
}

function keyOf({ listener: { asked, name } }: ServedServer): string {
  return `limit ${asked} ${name ?? ''}`;
}

/** Undefined where there is no limit and never was one: then the successor has no places to leave free. */
function carried({ throttle: { maximum }, limitChanged }: ServedServer): CarriedLimit | undefined {
  const limit = maximum === Infinity ? null : maximum;
  if (limitChanged) return { limit };
  return limit === null ? undefined : {};
}
