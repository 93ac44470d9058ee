import { type Server } from 'node:net';

type Callback = (error?: Error) => void;

/** The methods of a server that end connections. */
interface Closing {
  close(callback?: Callback): unknown;
  closeIdleConnections?: () => void;
  closeAllConnections?: () => void;
}

/** What decides about `server.close()`. */
export interface CloseHold {
  /** Whether this process drains, and so closes everything itself. */
  holds(): boolean;
  /** Fulfils when the server has drained, in the drain that is under way. */
  drained(): Promise<void>;
  /** The program closed the server, while the process serves. */
  onClosed(): void;
}

/**
 * While the process drains, `server.close()` means "when it has drained", and idle
 * connections are not closed: their clients may be sending the next request.
 */
export function holdClose(server: Server, hold: CloseHold): void {
  const closing = server as Closing;
  const { close, closeIdleConnections, closeAllConnections } = closing;
  closing.close = (callback) => {
    if (hold.holds()) {
      if (typeof callback === 'function') void hold.drained().then(() => process.nextTick(callback));
      return server;
    }
    const result = close.call(server, callback);
    hold.onClosed();
    return result;
  };
  if (closeIdleConnections !== undefined) closing.closeIdleConnections = unlessHeld(closeIdleConnections);
  if (closeAllConnections !== undefined) closing.closeAllConnections = unlessHeld(closeAllConnections);

  function unlessHeld(method: () => void): () => void {
    return () => {
      if (!hold.holds()) method.call(server);
    };
  }
}
