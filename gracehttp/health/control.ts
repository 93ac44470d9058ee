import { type Socket } from 'node:net';
import { GraceError } from '../../lib/errors.js';
import { type App } from '../app.js';
import { type ServedServer } from '../served-server.js';
import { type Reply } from './reply.js';

const STATUS: Partial<Record<GraceError['code'], number>> = {
  OPTION_INVALID: 400,
  STATE_INVALID: 409,
  RESTART_UNSUPPORTED: 501,
};

/** `POST /restart`: 200 with the successor's pid when it serves. */
export async function restart(app: App): Promise<Reply> {
  try {
    return { status: 200, body: await app.restart() };
  } catch (error) {
    return failure(error);
  }
}

/** `POST /revert?reason=TEXT`: takes the last restart back; 200 when the previous process serves again. */
export async function revert(app: App, query: URLSearchParams): Promise<Reply> {
  const reverted = await app.probation.fail(query.get('reason') ?? 'POST /revert');
  if (reverted) return { status: 200, body: { reverted } };
  return { status: 409, body: { error: 'there is no restart to take back: no process is on probation' } };
}

/**
 * `POST /limit?server=NAME&limit=N`: sets the limit, removes it with `none`, or without `limit` only reads it.
 *
 * @param socket - that the request came on.
 */
export function changeLimit(app: App, query: URLSearchParams, socket: Socket): Reply {
  const name = query.get('server');
  const value = query.get('limit');
  const served = find(app, name);
  if (served instanceof GraceError) return { status: 404, body: { error: served.message } };
  if (value !== null && !/^(\d+|none)$/.test(value)) {
    return { status: 400, body: { error: `limit is ${value}, expected a whole number or none` } };
  }
  if (value !== null && Number(value) === 0 && served.has(socket)) {
    const error = 'limit is 0, but this request came through the same server: nobody could raise the limit again';
    return { status: 409, body: { error } };
  }
  try {
    const free = value === null ? served.limit() : served.limit(value === 'none' ? Infinity : Number(value));
    return { status: 200, body: { server: name, limit: served.connectionLimit.maximum, free } };
  } catch (error) {
    return failure(error);
  }
}

/** Without a name, the only server; with one, the server with this name or address. */
function find(app: App, name: string | null): ServedServer | GraceError {
  if (name === null && app.servers.length === 1) return app.servers[0]!;
  try {
    return app.server(name ?? '');
  } catch (error) {
    if (error instanceof GraceError) return error;
    throw error;
  }
}

function failure(error: unknown): Reply {
  if (!(error instanceof GraceError)) throw error;
  const { code, message, exitCode, signal, stderr } = error;
  return { status: STATUS[code] ?? 500, body: { code, error: message, exitCode, signal, stderr } };
}
