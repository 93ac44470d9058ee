import { type Grace } from '../../lib/grace.js';
import { type ServedServer } from '../served-server.js';

/** What a successor needs to know of a server's limit. */
interface CarriedLimit {
  /** Set while running, so the successor keeps it; null for no limit (JSON has no Infinity). Undefined if it was not set. */
  readonly limit?: number | null;
}

/** The predecessor hears at most this often how many connections wait. */
const ASK_EVERY_MS = 100;

/**
 * Keeps limits over a restart. A limit that was set while running is passed on
 * with the handoff. While the predecessor drains, its successor keeps the places
 * free that the predecessor's connections hold, so that both together stay within
 * the limit. The successor says how many connections wait for these places, and
 * the predecessor makes room for them.
 */
export class LimitHandoff {
  readonly #grace: Grace;
  readonly #servers: ReadonlyMap<string, ServedServer>;
  /** Connections that wait in successors, by server. */
  readonly #waitingElsewhere = new Map<string, number>();

  /**
   * Create it after the sockets are claimed and before they listen.
   *
   * @param keys - one for each server, the same in both processes; see socketKeys().
   */
  constructor(grace: Grace, servers: readonly ServedServer[], keys: readonly string[]) {
    this.#grace = grace;
    this.#servers = new Map(servers.map((served, index) => [`limit ${keys[index]!}`, served]));
    for (const [key, served] of this.#servers) {
      grace.carried.leave(key, () => carried(served));
      served.connectionLimit.onEnd = () => this.#tell(key, served);
      const ask = this.#asker(key, served);
      grace.carried.onAsk(key, (value) => {
        if (typeof value !== 'number') return;
        this.#waitingElsewhere.set(key, value);
        served.connectionLimit.makeRoomFor(value);
        ask();
      });
      const before = grace.carried.get(key) as CarriedLimit | null | undefined;
      if (before === undefined || before === null) continue;
      if (before.limit !== undefined) served.limit(before.limit ?? Infinity);
      // No place is free until the predecessor has stopped accepting and says how many connections it has left.
      const heard = grace.carried.hear(
        key,
        (value) => {
          if (typeof value === 'number') this.#reserve(key, served, value);
        },
        () => this.#reserve(key, served, 0),
      );
      if (!heard) continue;
      this.#reserve(key, served, Infinity);
      served.connectionLimit.onQueue = ask;
      grace.once('ready', ask);
    }
    grace.on('draining', ({ reason }) => {
      if (reason === 'handover') for (const [key, served] of this.#servers) this.#tell(key, served);
    });
    grace.on('restart-reverted', () => {
      this.#waitingElsewhere.clear();
      for (const { connectionLimit } of this.#servers.values()) connectionLimit.serveAgain();
    });
  }

  #reserve(key: string, served: ServedServer, places: number): void {
    served.connectionLimit.reserve(places);
    this.#tell(key, served);
  }

  /** Waiting connections of this process count too: they came first, so they get the next places. */
  #tell(key: string, served: ServedServer): void {
    // Without a limit, now or before, the successor did not ask for it.
    if (this.#grace.state !== 'draining' || carried(served) === undefined) return;
    this.#grace.carried.tell(key, served.service.connections.size + served.connectionLimit.reserved);
  }

  /** Says how many connections wait, here and in successors of this process, when the number has changed. */
  #asker(key: string, { connectionLimit }: ServedServer): () => void {
    let asked = 0;
    let timer: NodeJS.Timeout | undefined;
    const ask = (): void => {
      const waiting = connectionLimit.queued + (this.#waitingElsewhere.get(key) ?? 0);
      if (timer !== undefined || waiting === asked) return;
      if (!this.#grace.carried.ask(key, waiting)) return;
      asked = waiting;
      timer = setTimeout(() => {
        timer = undefined;
        ask();
      }, ASK_EVERY_MS).unref();
    };
    return ask;
  }
}

/** Undefined if there is no limit and never was one: then the successor has no places to keep free. */
function carried({ connectionLimit: { maximum }, limitChanged }: ServedServer): CarriedLimit | undefined {
  const limit = maximum === Infinity ? null : maximum;
  if (limitChanged) return { limit };
  return limit === null ? undefined : {};
}
