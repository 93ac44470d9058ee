import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test } from 'tap';
import { scratch } from '../scratch.js';

/** One message to a service manager. */
export interface Notification {
  /** The process that sent it, by `systemd-notify`. */
  readonly pid: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** Replaces `systemd-notify`: the socket is a file, to which it appends the sender and the message. */
const RECORDS = `#!/bin/sh
{ printf '%s' $PPID; printf '\\t%s' "$@"; echo; } >> "$NOTIFY_SOCKET"
`;

/** A program named `systemd-notify` in the `PATH`, and the messages that it was called with. */
export class NotifyRecorder {
  readonly env: Readonly<Record<string, string>>;
  readonly #log: string;

  /** @param script - runs in place of `systemd-notify`; by default it records. */
  constructor(folder: string, script = RECORDS) {
    this.#log = join(folder, 'notifications');
    writeFileSync(this.#log, '');
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'systemd-notify'), script);
    chmodSync(join(bin, 'systemd-notify'), 0o755);
    this.env = { NOTIFY_SOCKET: this.#log, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  }

  get all(): readonly Notification[] {
    return readFileSync(this.#log, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [pid, ...assignments] = line.split('\t');
        const fields = assignments.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
        return { pid: Number(pid), fields: Object.fromEntries(fields) as Record<string, string> };
      });
  }

  /** The messages with a field, in order. */
  with(field: string): readonly Notification[] {
    return this.all.filter(({ fields }) => field in fields);
  }
}

/** A recorder in the `PATH` of this process, until the end of the test. */
export function recordInPath(t: Test, script?: string): NotifyRecorder {
  const recorder = new NotifyRecorder(scratch(t), script);
  const { PATH } = process.env;
  process.env['PATH'] = recorder.env['PATH'];
  t.teardown(() => {
    process.env['PATH'] = PATH;
  });
  return recorder;
}
