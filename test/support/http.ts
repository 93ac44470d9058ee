import http from 'node:http';
import { portOf } from './address.js';

/** One request on a connection of its own; the answer's body. */
export function ask(address: string, path = '/'): Promise<string> {
  const where = address.startsWith('unix:') ? { socketPath: address.slice(5) } : { port: portOf(address), host: 'localhost' };
  return new Promise((resolve, reject) => {
    const request = http.get({ ...where, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve(body));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}
