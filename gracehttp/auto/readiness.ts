import { formatAddress } from '../../lib/address/address.js';
import { type InheritedSocket } from '../../lib/address/match.js';
import { type Inheritance } from '../../lib/inherit/inheritance.js';
import { warn } from '../../lib/log.js';
import { readOptions } from '../../lib/options.js';
import { type ClaimableAddress } from './listen/asked-address.js';
import { onReadyMessage } from './ready-message.js';
import { type AutoSettings } from './options/settings.js';

/** A successor says what it waits for when this share of `restartTimeout` is over. */
const LATE_SHARE = 0.5;
const MS = 1_000;

/**
 * When this process is ready: with its first server; as a successor, when each
 * address is served that its predecessor served; or when the program says so.
 */
export class Readiness {
  readonly #onReady: () => void;
  readonly #isManual: boolean;
  readonly #missing: Map<string, InheritedSocket>;
  readonly #late: NodeJS.Timeout | undefined;

  constructor({ predecessor, passed }: Inheritance, { options, ready }: AutoSettings, onReady: () => void) {
    this.#onReady = onReady;
    this.#isManual = ready === 'manual';
    const isSuccessor = predecessor !== undefined && !predecessor.superdaemon;
    this.#missing = new Map((isSuccessor ? passed : []).map((socket) => [keyOf(socket), socket]));
    if (this.#isManual) onReadyMessage(() => this.#begin());
    if (isSuccessor) {
      const late = readOptions(options).restartTimeout * LATE_SHARE - process.uptime() * MS;
      this.#late = setTimeout(() => this.#complain(), late).unref();
    }
  }

  /** A server listens there. */
  served(address: ClaimableAddress): void {
    const asked = formatAddress(address);
    const found =
      [...this.#missing].find(([, socket]) => socket.asked === asked) ??
      [...this.#missing].find(([, { bound }]) => bound !== undefined && formatAddress(bound) === asked);
    if (found !== undefined) this.#missing.delete(found[0]);
    if (this.#missing.size === 0 && !this.#isManual) this.#begin();
  }

  #begin(): void {
    clearTimeout(this.#late);
    this.#onReady();
  }

  /** It goes into the error of the restart that fails. */
  #complain(): void {
    const what = this.#isManual
      ? "process.send('ready')"
      : `a server on ${[...this.#missing.keys()].join(', ')}, which the previous process serves`;
    warn(`not ready yet, waiting for ${what}${this.#isManual ? '' : '; with GRACE_READY=manual the program says itself when it is ready'}`);
  }
}

function keyOf({ asked, bound, fd }: InheritedSocket): string {
  return asked ?? (bound === undefined ? `fd:${fd}` : formatAddress(bound));
}
