import { type BindableAddress } from '../../lib/address/address.js';
import { type FileIdentity } from '../../lib/handoff/handoff-variable.js';
import { type DescribedSocket } from './descriptors.js';

/** A socket that start_server holds for its workers. It never accepts on it or reads from it. */
export interface HeldSocket extends DescribedSocket {
  /** The descriptor in this process. */
  readonly fd: number;
  readonly kind: 'stream' | 'datagram';
  readonly bound: BindableAddress;
  /** The socket file; undefined if there is none, or systemd removes it. */
  readonly file?: FileIdentity | undefined;
  /** Closes it here, and removes its socket file if the path still leads to this socket. */
  close(): void;
}
