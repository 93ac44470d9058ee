import { type Server } from 'node:net';
import { findInheritance } from '../../lib/inherit/inherit.js';
import { type Inheritance } from '../../lib/inherit/inheritance.js';
import { processState } from '../../lib/inherit/process-state.js';
import { readOptions } from '../../lib/options.js';
import { DEFAULT_BACKLOG } from '../../lib/socket/listener.js';
import { isAlone } from './alone.js';
import { type ClaimableAddress, askedAddress, isListed } from './listen/asked-address.js';
import { AutoApp } from './auto-app.js';
import { inheritedListener, newListener, takeMatching } from './listen/claimed-socket.js';
import { holdSocket } from './listen/held-socket.js';
import { type Asked, type NativeListen } from './listen/intercept.js';
import { listenAtPath } from './listen/at-path.js';
import { Readiness } from './readiness.js';
import { type AutoSettings } from './options/settings.js';

/** A listen() that this process claims. */
interface Claim {
  readonly server: Server;
  readonly listen: NativeListen;
  readonly asked: Asked;
  readonly address: ClaimableAddress;
}

/** Claims the addresses that the program's servers listen on. */
export class Claims {
  readonly #settings: AutoSettings;
  readonly #found: Promise<Inheritance>;
  #inheritance: Inheritance | undefined;
  #app: AutoApp | undefined;
  #readiness: Readiness | undefined;

  constructor(settings: AutoSettings) {
    this.#settings = settings;
    this.#found = findInheritance();
    // An error is reported when a server listens.
    this.#found.then(
      (inheritance) => (this.#inheritance = inheritance),
      () => undefined,
    );
  }

  /** A server listens: on an inherited socket, on a new one that this process will hand over, or as if this library were not there. */
  listen(server: Server, listen: NativeListen, asked: Asked): void {
    const address = askedAddress(asked);
    // It serves again, after a restart that was taken back.
    if (asked.fd !== undefined && this.#app?.sockets.some(({ fd }) => fd === asked.fd) === true) return listen();
    if (address === undefined || !isListed(address, this.#settings.listen) || this.#standsAside()) return listen();
    const claim: Claim = { server, listen, asked, address };
    if (this.#inheritance !== undefined) return this.#claim(claim, this.#inheritance);
    // Only if another program passed sockets: it takes a moment to find out which.
    this.#found.then(
      (inheritance) => this.#claim(claim, inheritance),
      (error: unknown) => server.emit('error', error),
    );
  }

  /** The program serves by serve() itself, or is a part of another one; or this process drains. */
  #standsAside(): boolean {
    const { grace, copies } = processState;
    if (this.#app !== undefined) return grace !== this.#app || !['starting', 'serving'].includes(this.#app.state);
    if (copies > 1 || (grace !== undefined && grace.state !== 'closed')) return true;
    return isAlone(readOptions(this.#settings.options).signals.restart);
  }

  #claim(claim: Claim, inheritance: Inheritance): void {
    const { server, listen, asked, address } = claim;
    const { backlog = DEFAULT_BACKLOG } = asked;
    const socket = takeMatching(address, inheritance);
    // Before a client can connect: a signal that comes after that must find its handler.
    const app = this.#serving(inheritance);
    if (socket !== undefined) {
      const accept = holdSocket(server, socket.fd, Math.max(socket.backlog ?? 0, backlog));
      const waits = inheritance.predecessor?.alive === true;
      app.add(server, inheritedListener(address, socket, { backlog, waits, accept }));
      listen();
    } else if (address.kind === 'unix' && !address.path.startsWith('\0')) {
      listenAtPath(server, asked.address ?? address.path, listen, (file) => {
        app.add(server, newListener(address, server, { backlog, file }));
      });
    } else {
      listen();
      // If it failed, an error follows.
      if (server.listening) app.add(server, newListener(address, server, { backlog }));
    }
    if (server.listening) this.#readiness?.served(address);
  }

  #serving(inheritance: Inheritance): AutoApp {
    this.#app ??= new AutoApp(this.#settings.options);
    const app = this.#app;
    this.#readiness ??= new Readiness(inheritance, this.#settings, () => void app.begin());
    return app;
  }
}
