import { readFileSync } from 'node:fs';
import { type BindableAddress } from '../../lib/address/address.js';
import { SERVER_STARTER_GENERATION } from '../../lib/inherit/server-starter.js';
import { holdersOf } from '../../lib/socket/holder.js';

/** What to do if workers that outlived their start_server hold an address; empty if that is not so. */
export function orphansHint(address: BindableAddress): string {
  const pids = holdersOf(address);
  // start_server holds the socket too as long as it runs, and is no worker itself.
  if (pids.length === 0 || !pids.every(isWorker)) return '';
  const [are, them] = pids.length === 1 ? ['is a worker', 'it'] : ['are workers', 'them'];
  return `; ${pids.join(', ')} ${are} of a start_server that was killed: end ${them} by kill -TERM ${pids.join(' ')}, and then start again`;
}

function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`${SERVER_STARTER_GENERATION}=`);
  } catch {
    return false;
  }
}
