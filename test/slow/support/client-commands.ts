import { type Test } from 'tap';
import { type Clients, type Sent, repeat } from './client-programs.js';

const URLS = 300;
const PARALLEL = 10;

/** curl with many URLs in one call, one after the other or in parallel (`-Z`). */
export function curl(t: Test, name: string, url: string, ...options: readonly string[]): Clients {
  const format = '%{http_code} %{exitcode} %{errormsg}\n';
  return repeat(t, name, ['curl', '-sk', ...options, '-o', '/dev/null', '-w', format, `${url}?n=[1-${URLS}]`], readCurl);
}

export const CURL_PARALLEL = ['-Z', '--parallel-max', String(PARALLEL)];

function readCurl(output: string): Sent {
  const lines = output
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  return { sent: lines.length, errors: lines.filter((line) => !line.startsWith('200 0')) };
}

/** wrk prints its errors by kind, if there are some. */
export function wrk(t: Test, url: string): Clients {
  return repeat(t, 'wrk', ['wrk', '-t1', '-c16', '-d2s', url], (output) => {
    const errors = [...output.matchAll(/^ *(Socket errors|Non-2xx).*$/gm)].map(([line]) => line.trim());
    return { sent: Number(/(\d+) requests in/.exec(output)?.[1] ?? 0), errors };
  });
}

/** h2load does not connect again: when all its connections have ended, it stops. A request that it has sent and that has no answer is lost. */
export function h2load(t: Test, url: string): Clients {
  return repeat(t, 'h2load', ['h2load', '-n10000', '-c10', '-m5', url], (output) => {
    const [line = '', started, succeeded] = /^requests: .* (\d+) started, .* (\d+) succeeded.*$/m.exec(output) ?? [];
    const lost = Number(started ?? 0) - Number(succeeded ?? 0);
    return { sent: Number(started ?? 0), errors: Array.from({ length: lost }, () => line) };
  });
}
