import autocannon from 'autocannon';
import { median } from './peers/results/statistics.js';
import { type Kind, Program } from './program.js';

const ROUNDS = 7;
const SECONDS = 3;
const CONNECTIONS = 64;

/** Requests a second of a served http.Server, relative to a bare one. The median of pairs that run in turn. */
export async function throughput(kind: Kind = 'ours'): Promise<number> {
  const programs = { bare: new Program('bare'), ours: new Program(kind) };
  const ports = { bare: await programs.bare.fact('port'), ours: await programs.ours.fact('port') };
  const ratios: number[] = [];
  await Promise.all([measure(ports.bare), measure(ports.ours)]);
  for (let round = 0; round < ROUNDS; round += 1) {
    const order: readonly (keyof typeof programs)[] = round % 2 === 0 ? ['bare', 'ours'] : ['ours', 'bare'];
    const rate = { bare: 0, ours: 0 };
    for (const kind of order) rate[kind] = await measure(ports[kind]);
    ratios.push(rate.ours / rate.bare);
  }
  await Promise.all([programs.bare.end(), programs.ours.end()]);
  return median(ratios);
}

async function measure(port: number): Promise<number> {
  const { requests } = await autocannon({ url: `http://127.0.0.1:${port}`, connections: CONNECTIONS, duration: SECONDS });
  return requests.average;
}
