import { type InheritedSocket } from '../address/match.js';
import { type BoundSocket } from './bind.js';
import { type DraftSocket } from './socket-file.js';

/**
 * Where a listener's socket comes from: bound here, or passed to this process; or
 * the program's own listen() has made its server listen, see `ts-grace/auto`.
 */
export type Source =
  | { readonly kind: 'bound'; readonly socket: BoundSocket; readonly draft: DraftSocket | undefined }
  | { readonly kind: 'inherited'; readonly socket: InheritedSocket }
  | { readonly kind: 'listening'; readonly socket: InheritedSocket; readonly inherited: boolean; accept(): void };

/** What a program asked for beside the address; see ListenOptions. */
export interface ListenerOptions {
  readonly name?: string | undefined;
  readonly backlog?: number | undefined;
  readonly mode?: number | undefined;
  /** Whether to accept only when {@link GraceListener.open} is called, because a predecessor serves. */
  readonly waits?: boolean;
}
