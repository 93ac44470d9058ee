import { type Server } from 'node:net';

/** The part of tls.Server that makes sessions resumable. */
interface TicketServer {
  /** What the program configured; then each generation configures it anew. */
  readonly ticketKeys?: unknown;
  getTicketKeys(): Buffer;
  setTicketKeys(keys: Buffer): void;
}

/** tls.Server: 48 bytes of keys, whatever the TLS version. */
const TICKET_KEY_BYTES = 48;

/** Whether the server has keys of Node.js's own making, random for each process. */
export function hasOwnTickets(server: Server): server is Server & TicketServer {
  return 'setTicketKeys' in server && 'getTicketKeys' in server && !('ticketKeys' in server && server.ticketKeys);
}

/** The keys as they go to a successor, so that clients resume their sessions there without a full handshake. */
export function exportTickets(server: TicketServer): string {
  return server.getTicketKeys().toString('base64');
}

/** Takes over a predecessor's keys; what is none is left alone. */
export function importTickets(server: TicketServer, value: unknown): void {
  const keys = Buffer.from(typeof value === 'string' ? value : '', 'base64');
  if (keys.length === TICKET_KEY_BYTES) server.setTicketKeys(keys);
}
