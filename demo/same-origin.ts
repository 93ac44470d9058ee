import { type IncomingMessage } from 'node:http';

/** Whether the page of another site sent a request, by its browser. Other programs than browsers send no `Origin`. */
export function isForeign({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
