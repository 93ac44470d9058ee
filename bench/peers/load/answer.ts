/** What an answer says. */
export interface Answer {
  readonly status: number;
  /** The process that gave it. */
  readonly pid: number;
  /** The server closes the connection after it. */
  readonly closes: boolean;
}

const END_OF_HEAD = '\r\n\r\n';

/** Reads one whole response with a Content-Length; undefined while some of it is missing. */
export function readAnswer(text: string): Answer | undefined {
  const end = text.indexOf(END_OF_HEAD);
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length === undefined) throw new Error(`no Content-Length: ${head}`);
  const body = text.slice(end + END_OF_HEAD.length);
  if (body.length < Number(length)) return undefined;
  return {
    status: Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)),
    pid: Number(/"pid": *(\d+)/.exec(body)?.[1] ?? 0),
    closes: /^connection: *close/im.test(head),
  };
}
