import { Deadline, formatTime } from '../../lib/deadline.js';
import { GraceError, messageOf } from '../../lib/errors.js';
import { logger, warn } from '../../lib/log.js';
import { type ServedServer } from '../served-server.js';
import { type Target, innerRequest } from './inner-request.js';
import { type WarmupRequest, type WarmupResponse, type WarmupSettings, readRequest } from './warmup-options.js';

const log = logger('warmup');

const FIRST_SERVER_ERROR = 500;

/** What a warm-up needs of an app. */
export interface Warmed {
  readonly servers: readonly ServedServer[];
  server(name: string): ServedServer;
}

/**
 * Runs requests through the servers of a process that is about to be ready, so
 * that its code is compiled and its caches are filled when clients come. Ends
 * early when the signal is aborted: then the process stops.
 *
 * @throws GraceError `WARMUP_FAILED` with `required`; `OPTION_INVALID` for a wrong request; `SERVER_INVALID` for one to an unknown server.
 */
export async function warmUp(app: Warmed, settings: WarmupSettings, stopped: AbortSignal): Promise<void> {
  const targets = settings.requests.map((request) => targetOf(app, request));
  const begin = performance.now();
  const over = new AbortController();
  const end = (): void => over.abort();
  const deadline = new Deadline(settings.timeout);
  void deadline.passed.then(end);
  stopped.addEventListener('abort', end, { once: true });
  const send = (request: string | WarmupRequest): Promise<WarmupResponse> => {
    const read = readRequest(request);
    return innerRequest(targetOf(app, read), read, over.signal);
  };
  try {
    if (settings.run !== undefined) await deadline.runHook('warmup', () => settings.run!(send));
    const rounds = await sendAll(settings, targets, over.signal);
    log('%d rounds of %d requests in %d ms', rounds, targets.length, performance.now() - begin);
  } catch (cause) {
    if (!stopped.aborted) report(cause, settings);
  } finally {
    deadline.clear();
    stopped.removeEventListener('abort', end);
  }
}

/** Fails at the first response that is wrong. Running out of time is an error only before each request has had a response. */
async function sendAll({ requests, times, timeout }: WarmupSettings, targets: readonly Target[], over: AbortSignal): Promise<number> {
  for (let round = 0; round < times; round += 1) {
    for (const [index, request] of requests.entries()) {
      const { method = 'GET', path } = request;
      try {
        const { status } = await innerRequest(targets[index]!, request, over);
        if (status >= FIRST_SERVER_ERROR) throw new Error(`${method} ${path} answered ${status}`);
      } catch (cause) {
        if (!over.aborted)
          throw new Error(messageOf(cause).includes(path) ? messageOf(cause) : `${method} ${path}: ${messageOf(cause)}`, { cause });
        if (round > 0) return round;
        throw new Error(`${method} ${path} was not answered within ${formatTime(timeout)}`, { cause });
      }
    }
  }
  return times;
}

function targetOf(app: Warmed, { server: name }: WarmupRequest): Target {
  const served = name === undefined ? app.servers.find(({ speaksHttp }) => speaksHttp) : app.server(name);
  if (served?.speaksHttp !== true) {
    throw new GraceError('OPTION_INVALID', 'the option warmup needs an HTTP server', { subject: 'warmup.paths', value: name });
  }
  return { server: served.server, deliver: (connection) => served.deliverInner(connection) };
}

function report(cause: unknown, { required }: WarmupSettings): void {
  if (cause instanceof GraceError) throw cause;
  const message = `the warm-up failed: ${messageOf(cause)}`;
  if (required) throw new GraceError('WARMUP_FAILED', message, { subject: 'warmup', cause });
  warn(message);
}
