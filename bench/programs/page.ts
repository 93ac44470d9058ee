import http from 'node:http';
import { App } from '../../gracehttp/index.js';
import { tell } from './common.js';

/** A server whose handler needs warm code: it makes data, JSON, and a page of it. With `WARMUP=1` it warms up. */
const ITEMS = 200;

interface Item {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly string[];
}

function items(seed: number): Item[] {
  return Array.from({ length: ITEMS }, (_, index) => ({
    id: index,
    name: `item ${(seed * index) % 97}`,
    tags: [`a${index % 7}`, `b${index % 11}`],
  }));
}

function row({ id, name, tags }: Item): string {
  return `<tr><td>${id}</td><td>${name.replaceAll('&', '&amp;').toUpperCase()}</td><td>${tags.map((tag) => `<b>${tag}</b>`).join(', ')}</td></tr>`;
}

function page(seed: number): string {
  const copied = JSON.parse(JSON.stringify(items(seed))) as Item[];
  const sorted = copied.sort((a, b) => a.name.localeCompare(b.name, 'en') || a.id - b.id);
  return `<table>${sorted.map(row).join('\n')}</table>`;
}

const app = new App({ follow: false, ...(process.env['WARMUP'] === undefined ? {} : { warmup: ['/?1', '/?2'] }) });
const server = http.createServer((request, response) => {
  response.setHeader('x-pid', process.pid);
  response.end(page(Number(request.url?.split('?')[1] ?? 0)));
});
await app.serve({ server, listen: '127.0.0.1:0' });
tell({ port: Number(app.addresses[0]?.split(':').at(-1)) });
