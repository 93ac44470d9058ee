import { type Server } from 'node:net';
import { type Grace } from '../../lib/grace.js';
import { type GraceListener } from '../../lib/socket/listener.js';
import { fixSessionContext } from './session-context.js';

/** The part of tls.Server that makes sessions resumable. */
interface TicketServer {
  /** Set if the program chose the keys; then each generation sets them itself. */
  readonly ticketKeys?: unknown;
  getTicketKeys(): Buffer;
  setTicketKeys(keys: Buffer): void;
}

/** tls.Server has 48 bytes of keys, whatever the TLS version. */
const TICKET_KEY_BYTES = 48;

/**
 * Takes over the ticket keys of the predecessor and passes them on to the
 * successor, so that clients resume their sessions without a full handshake.
 *
 * @param socketKey - the key of the socket, the same in all three; see socketKeys().
 */
export function shareTickets(grace: Grace, server: Server, { asked }: GraceListener, socketKey: string): void {
  if (!hasOwnTickets(server)) return;
  fixSessionContext(server, asked);
  const key = `tickets ${socketKey}`;
  importTickets(server, grace.carried.get(key));
  grace.carried.leave(key, () => exportTickets(server));
}

/** Whether Node.js made the keys of a server itself; they are random for each process. */
export function hasOwnTickets(server: Server): server is Server & TicketServer {
  return 'setTicketKeys' in server && 'getTicketKeys' in server && !('ticketKeys' in server && server.ticketKeys);
}

/** The keys in base64. */
export function exportTickets(server: TicketServer): string {
  return server.getTicketKeys().toString('base64');
}

/** Sets keys that {@link exportTickets} wrote; anything else is ignored. */
export function importTickets(server: TicketServer, value: unknown): void {
  const keys = Buffer.from(typeof value === 'string' ? value : '', 'base64');
  if (keys.length === TICKET_KEY_BYTES) server.setTicketKeys(keys);
}
