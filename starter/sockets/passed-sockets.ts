import { closeSync } from 'node:fs';
import { type BindableAddress, formatAddress, sameAddress } from '../../lib/address/address.js';
import { describeDescriptor } from '../../lib/socket/descriptor.js';
import { GraceError, show } from '../../lib/errors.js';
import { LISTEN_FDS, LISTEN_FDS_START, type ListenVariables, parseListenVariables } from '../../lib/systemd/listen-variables.js';
import { fdName } from './descriptors.js';
import { type HeldSocket } from './held-socket.js';

/** A socket that systemd passed to start_server itself. */
interface PassedSocket {
  readonly fd: number;
  readonly name: string | undefined;
  readonly kind: 'stream' | 'datagram';
  readonly address: BindableAddress | undefined;
}

/** The sockets that systemd passed to start_server, for ports and paths that then need not be bound. */
export class PassedSockets {
  readonly #free: PassedSocket[];

  /** @throws GraceError `INHERITANCE_INVALID` */
  constructor(variables: ListenVariables) {
    this.#free = parseListenVariables(variables, process.pid).map((name, index) => {
      const fd = LISTEN_FDS_START + index;
      const { kind, address } = describeDescriptor(fd);
      if (kind === 'listener' || kind === 'unknown socket') return { fd, name, kind: 'stream', address };
      if (kind === 'datagram socket') return { fd, name, kind: 'datagram', address };
      throw new GraceError(
        'INHERITANCE_INVALID',
        `${LISTEN_FDS}=${show(variables.fds)}: descriptor ${fd} is ${kind}, expected a listening or UDP socket`,
        { subject: LISTEN_FDS, value: variables.fds },
      );
    });
  }

  /** Takes the socket with this address; undefined if there is none. */
  take(kind: HeldSocket['kind'], address: BindableAddress, label: string, target: number | undefined): HeldSocket | undefined {
    const index = this.#free.findIndex((socket) => {
      return socket.kind === kind && socket.address !== undefined && sameAddress(socket.address, address);
    });
    const [found] = index < 0 ? [] : this.#free.splice(index, 1);
    if (found === undefined) return undefined;
    const { fd, name } = found;
    // systemd holds the socket too, and removes a socket file itself.
    const close = (): void => closeSync(fd);
    return { label, name: name ?? fdName(label), target, fd, kind, bound: address, close };
  }

  /** The addresses that no `--port` or `--path` asked for. */
  get unclaimed(): readonly string[] {
    return this.#free.map(({ fd, address }) => (address === undefined ? `fd ${fd}` : formatAddress(address)));
  }
}
