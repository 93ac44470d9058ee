/** Requests say only the path; the URL needs any host. */
const BASE = 'http://localhost';

/**
 * The URL of a request, for its path and query. A path keeps its slashes: for
 * `new URL('//', base)` the part behind them would be a host.
 *
 * @param target - what the request line has: `/path?query`, for a proxy a whole URL, or `*`.
 * @returns undefined if it is not a path or a URL.
 */
export function requestUrl(target: string | undefined): URL | undefined {
  const text = target?.startsWith('/') === true ? `${BASE}${target}` : (target ?? '');
  return URL.canParse(text) ? new URL(text) : undefined;
}
