import { type Server, type Socket } from 'node:net';
import { type Pausing, unpause } from '../../lib/socket/hold.js';

/**
 * Decides about each new connection before any 'connection' listener hears of it,
 * including listeners that the program adds later.
 */
export class Admission {
  readonly #server: Server & Pausing;
  readonly #emit: Server['emit'];
  readonly #pausedByProgram: boolean;

  /**
   * @param admits - whether the server gets the connection now.
   * @param onAdmitted - called after the server got a connection.
   */
  constructor(server: Server, admits: (socket: Socket) => boolean, onAdmitted: () => void) {
    this.#server = server as Server & Pausing;
    this.#emit = server.emit;
    this.#pausedByProgram = this.#server.pauseOnConnect;
    server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event !== 'connection') return Reflect.apply(this.#emit, server, [event, ...args]) as boolean;
      const socket = args[0] as Socket;
      if (!admits(socket)) return true;
      const handled = this.deliver(socket);
      onAdmitted();
      return handled;
    };
  }

  /** Whether the next connections come unread. Node.js asks at each accept, right before it emits 'connection'. */
  pause(paused: boolean): void {
    this.#server.pauseOnConnect = this.#pausedByProgram || paused;
  }

  /** Gives a connection to the server. It may have come unread: because it waited, or because a final stop held it. */
  deliver(socket: Socket): boolean {
    if (!this.#pausedByProgram && socket.isPaused()) unpause(socket);
    return Reflect.apply(this.#emit, this.#server, ['connection', socket]) as boolean;
  }
}
