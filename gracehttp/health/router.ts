import { type IncomingMessage, type RequestListener } from 'node:http';
import { type Reply, sendReply } from './reply.js';
import { requestUrl } from './request-url.js';

/** Answers one request; the URL is parsed from it. */
export type Route = (request: IncomingMessage, url: URL) => Reply | Promise<Reply>;

export interface Routes {
  /** Paths that only read: GET and HEAD. */
  readonly reads: Readonly<Record<string, Route>>;
  /** Paths that change something: POST. */
  readonly actions: Readonly<Record<string, Route>>;
}

/** A request listener for a fixed set of paths. Unknown paths get 404, wrong methods 405, errors 500. */
export function router({ reads, actions }: Routes): RequestListener {
  const reply = async (request: IncomingMessage): Promise<Reply> => {
    const url = requestUrl(request.url);
    if (url === undefined) return { status: 404, body: { error: `there is no ${request.url}` } };
    const { pathname } = url;
    const isAction = Object.hasOwn(actions, pathname);
    const allowed = isAction ? ['POST'] : ['GET', 'HEAD'];
    if (!allowed.includes(request.method ?? '')) {
      const Allow = allowed.join(', ');
      return { status: 405, headers: { Allow }, body: { error: `the method is ${request.method}, expected ${Allow}` } };
    }
    const routes = isAction ? actions : reads;
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (route === undefined) return { status: 404, body: { error: `there is no ${pathname}` } };
    return route(request, url);
  };
  return (request, response) => {
    reply(request).then(
      (found) => sendReply(request, response, found),
      (error: unknown) => sendReply(request, response, { status: 500, body: { error: String(error) } }),
    );
  };
}
