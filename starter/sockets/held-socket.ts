import { type BindableAddress } from '../../lib/address/address.js';
import { type Described } from './descriptors.js';

/** A socket that start_server holds for its workers, and never reads or accepts from. */
export interface HeldSocket extends Described {
  /** The descriptor in this process. */
  readonly fd: number;
  readonly kind: 'stream' | 'datagram';
  readonly bound: BindableAddress;
  /** Lets go of it; a socket file goes too, where it is still this one's. */
  close(): void;
}
