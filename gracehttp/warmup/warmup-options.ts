import { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { refuseUnknown } from '../../lib/check/names.js';
import { invalid, milliseconds, wholeNumber } from '../../lib/check/numbers.js';

/** One request of a warm-up. */
export interface WarmupRequest {
  /** Begins with `/`; may have a query. */
  readonly path: string;
  /** Default `GET`. */
  readonly method?: string;
  /** Default: none but `host` and `ts-grace-warmup`. */
  readonly headers?: OutgoingHttpHeaders;
  /** Default: none. */
  readonly body?: string | Uint8Array;
  /** Name or address of the server that gets it. Default: the first HTTP server. */
  readonly server?: string;
}

/** What a server answered to a request of a warm-up. */
export interface WarmupResponse {
  /** The status code. */
  readonly status: number;
  /** The headers, with names in small letters. */
  readonly headers: IncomingHttpHeaders;
  /** The whole body. */
  readonly body: Buffer;
}

/** Sends one request through the whole server, without a port. Rejects if there is no response. */
export type WarmupSend = (request: string | WarmupRequest) => Promise<WarmupResponse>;

/** A warm-up that the program does itself. */
export type WarmupRun = (send: WarmupSend) => unknown;

/** Times are in milliseconds. */
export interface WarmupOptions {
  /** Paths, or whole requests. They are sent in turn, `times` times. Default: none; then `run` is needed. */
  readonly paths?: readonly (string | WarmupRequest)[];
  /** Called before `paths` are sent, for example to fill caches. Default: none. */
  readonly run?: WarmupRun;
  /** How often each path is requested: code is compiled only after it has run some times. Default 20. */
  readonly times?: number;
  /** The whole warm-up ends after this time. Default 2 000. */
  readonly timeout?: number;
  /**
   * Whether the restart fails if something is wrong: a response from 500 on, a path
   * without any response, `run` that throws or does not end. Without it that is a warning. Default false.
   */
  readonly required?: boolean;
}

/** What the option `warmup` takes: {@link WarmupOptions}, only its `paths`, or only its `run`. */
export type Warmup = WarmupOptions | readonly (string | WarmupRequest)[] | WarmupRun;

/** {@link WarmupOptions} with every default filled in. */
export interface WarmupSettings {
  readonly requests: readonly WarmupRequest[];
  readonly run: WarmupRun | undefined;
  readonly times: number;
  readonly timeout: number;
  readonly required: boolean;
}

const NAMES = ['paths', 'run', 'times', 'timeout', 'required'] satisfies readonly (keyof WarmupOptions)[];
const OF_REQUESTS = ['path', 'method', 'headers', 'body', 'server'] satisfies readonly (keyof WarmupRequest)[];
const DEFAULT_TIMES = 20;
const MAX_TIMES = 10_000;
const DEFAULT_TIMEOUT_MS = 2_000;

/** @throws GraceError `OPTION_INVALID` */
export function readWarmup(warmup: Warmup): WarmupSettings {
  const options = optionsOf(warmup);
  refuseUnknown({ options, where: 'warmup', names: NAMES, prefix: 'warmup.' });
  const { paths = [], run, required = false } = options;
  if (!Array.isArray(paths)) throw invalid('warmup.paths', paths, 'a list of paths or requests');
  if (run !== undefined && typeof run !== 'function') throw invalid('warmup.run', run, 'a function');
  if (typeof required !== 'boolean') throw invalid('warmup.required', required, 'a boolean');
  if (paths.length === 0 && run === undefined) throw invalid('warmup', warmup, 'paths, or a function');
  return {
    requests: paths.map((path: string | WarmupRequest) => readRequest(path)),
    run,
    times: wholeNumber('warmup.times', options.times, 1, MAX_TIMES) ?? DEFAULT_TIMES,
    timeout: milliseconds('warmup.timeout', options.timeout, DEFAULT_TIMEOUT_MS),
    required,
  };
}

/** @throws GraceError `OPTION_INVALID` */
export function readRequest(request: string | WarmupRequest): WarmupRequest {
  const read = typeof request === 'string' ? { path: request } : request;
  if (typeof read !== 'object' || read === null) throw invalid('warmup.paths', request, 'a path or a request');
  refuseUnknown({ options: read, where: 'a request of warmup', names: OF_REQUESTS, prefix: 'warmup.paths.' });
  if (typeof read.path !== 'string' || !read.path.startsWith('/')) throw invalid('warmup.paths', read.path, 'a path that begins with /');
  return read;
}

function optionsOf(warmup: Warmup): WarmupOptions {
  if (typeof warmup === 'function') return { run: warmup };
  if (Array.isArray(warmup)) return { paths: warmup as readonly (string | WarmupRequest)[] };
  if (typeof warmup === 'object' && warmup !== null) return warmup as WarmupOptions;
  throw invalid('warmup', warmup, 'paths, a function or an object');
}
