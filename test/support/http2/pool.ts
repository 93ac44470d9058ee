import http2 from 'node:http2';

/** Where a server speaks HTTP/2; with a certificate by TLS. */
export interface Http2Target {
  readonly port: number;
  readonly ca?: string | undefined;
}

export interface Http2Answer {
  readonly status: number;
  readonly body: string;
  /** The process that answered, as the fixtures say it. */
  readonly pid: number;
}

/** A server says by these that it has not looked at a request, so that it may be sent again (RFC 9113, 8.7). */
const NOT_SENT = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION', 'ERR_HTTP2_SESSION_ERROR']);

/** A request without a whole answer. */
export class Http2Failure extends Error {
  /** Whether the server has said that it did not look at the request. */
  readonly refused: boolean;

  constructor(cause: NodeJS.ErrnoException, refused: boolean) {
    super(`${cause.code ?? ''} ${cause.message}`, { cause });
    this.refused = refused || NOT_SENT.has(cause.code ?? '');
  }
}

/** One HTTP/2 session of node:http2 at a time. Requests after a GOAWAY go to a new one. Never sends a request again. */
export class Http2Pool {
  readonly #target: Http2Target;
  #session: http2.ClientHttp2Session | undefined;

  constructor(target: Http2Target) {
    this.#target = target;
  }

  async request(path: string, body?: Buffer): Promise<Http2Answer> {
    return exchange(this.#usable(), path, body);
  }

  /** The next request opens a new session. */
  leave(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  destroy(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #usable(): http2.ClientHttp2Session {
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const { port, ca } = this.#target;
    const session =
      ca === undefined
        ? http2.connect(`http://127.0.0.1:${port}`)
        : http2.connect(`https://127.0.0.1:${port}`, { ca, servername: 'localhost' });
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    // What it means for a request is an event of its stream too.
    session.on('error', forget).on('goaway', forget).on('close', forget);
    this.#session = session;
    return session;
  }
}

function exchange(session: http2.ClientHttp2Session, path: string, body: Buffer | undefined): Promise<Http2Answer> {
  return new Promise((done, fail) => {
    let failure: NodeJS.ErrnoException | undefined;
    let text = '';
    let headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    const stream = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST' }, { endStream: body === undefined });
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('error', (error) => {
      failure = error;
    });
    let ended = false;
    stream.on('end', () => {
      ended = true;
    });
    stream.on('close', () => {
      const { ':status': status } = headers;
      if (failure === undefined && ended && status !== undefined) return done({ status, body: text, pid: Number(headers['x-pid']) });
      const refused = status === undefined && stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
      fail(new Http2Failure(failure ?? new Error(`closed with code ${stream.rstCode} after ${text.length} characters`), refused));
    });
    if (body !== undefined) stream.end(body);
  });
}
