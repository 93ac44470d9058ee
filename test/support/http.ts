import http from 'node:http';
import https from 'node:https';
import { portOf } from './address.js';

/** One request on a connection of its own; the answer's body. With `ca` it goes by HTTPS. */
export function ask(address: string, path = '/', ca?: string): Promise<string> {
  const where = address.startsWith('unix:') ? { socketPath: address.slice(5) } : { port: portOf(address), host: 'localhost' };
  return new Promise((resolve, reject) => {
    const options = { ...where, path, agent: false as const };
    const onResponse = (response: http.IncomingMessage): void => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve(body));
      response.on('error', reject);
    };
    const request = ca === undefined ? http.get(options, onResponse) : https.get({ ...options, ca }, onResponse);
    request.on('error', reject);
  });
}
