import { parseArgs } from 'node:util';
import { GraceError, messageOf } from '../../lib/errors.js';
import { type StartOptions } from '../options.js';
import { expandOptions } from './abbreviations.js';

/** What the command line asks for. */
export type Request =
  | { readonly action: 'help' | 'version' }
  | { readonly action: 'start'; readonly options: StartOptions; readonly daemonize: boolean }
  | {
      readonly action: 'restart';
      readonly pidFile: string;
      readonly statusFile: string;
      readonly timeout: number | undefined;
      readonly json: boolean;
    }
  | {
      readonly action: 'upgrade';
      readonly pidFile: string;
      readonly statusFile: string;
      readonly timeout: number | undefined;
      readonly json: boolean;
    }
  | { readonly action: 'stop'; readonly pidFile: string }
  | { readonly action: 'status'; readonly pidFile: string; readonly statusFile: string; readonly json: boolean; readonly watch: boolean };

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const TEXTS = { type: 'string', multiple: true } as const;

const OPTIONS = {
  port: TEXTS,
  path: TEXTS,
  dir: TEXT,
  interval: TEXT,
  'signal-on-hup': TEXT,
  'signal-on-term': TEXT,
  'pid-file': TEXT,
  'status-file': TEXT,
  envdir: TEXT,
  'log-file': TEXT,
  daemonize: FLAG,
  'enable-auto-restart': FLAG,
  'auto-restart-interval': TEXT,
  'kill-old-delay': TEXT,
  backlog: TEXT,
  workers: TEXT,
  'ready-timeout': TEXT,
  'start-timeout': TEXT,
  'kill-timeout': TEXT,
  'listen-fds': FLAG,
  'non-blocking': FLAG,
  restart: FLAG,
  'restart-timeout': TEXT,
  upgrade: FLAG,
  stop: FLAG,
  status: FLAG,
  watch: FLAG,
  json: FLAG,
  help: FLAG,
  version: FLAG,
} as const;

/** Whether each option takes a value. */
const NAMES = new Map(Object.entries(OPTIONS).map(([name, { type }]) => [name, type === 'string']));

type Values = ReturnType<typeof parse>['values'];

/**
 * Reads the arguments of start_server.
 *
 * @throws GraceError `OPTION_INVALID`, with a message of one line.
 */
export function readCommandLine(args: readonly string[]): Request {
  const { values, positionals } = parse(args);
  if (values.help === true) return { action: 'help' };
  if (values.version === true) return { action: 'version' };
  if (values.restart === true) {
    const timeout = number(values, 'restart-timeout');
    return { action: 'restart', ...files(values, '--restart'), timeout, json: values.json === true };
  }
  if (values.upgrade === true) {
    const timeout = number(values, 'restart-timeout');
    return { action: 'upgrade', ...files(values, '--upgrade'), timeout, json: values.json === true };
  }
  if (values.stop === true) return { action: 'stop', pidFile: required(values, 'pid-file', '--stop') };
  if (values.status === true)
    return { action: 'status', ...files(values, '--status'), json: values.json === true, watch: values.watch === true };
  const daemonize = values.daemonize === true;
  if (daemonize) required(values, 'log-file', '--daemonize');
  return { action: 'start', options: startOptions(values, positionals), daemonize };
}

function startOptions(values: Values, exec: readonly string[]): StartOptions {
  return {
    exec,
    port: values.port,
    path: values.path,
    dir: values.dir,
    interval: number(values, 'interval'),
    signalOnHup: values['signal-on-hup'],
    signalOnTerm: values['signal-on-term'],
    pidFile: values['pid-file'],
    statusFile: values['status-file'],
    envdir: values.envdir,
    logFile: values['log-file'],
    enableAutoRestart: values['enable-auto-restart'],
    autoRestartInterval: number(values, 'auto-restart-interval'),
    killOldDelay: number(values, 'kill-old-delay'),
    backlog: number(values, 'backlog'),
    workers: values.workers === 'auto' ? 'auto' : number(values, 'workers'),
    readyTimeout: number(values, 'ready-timeout'),
    startTimeout: number(values, 'start-timeout'),
    killTimeout: number(values, 'kill-timeout'),
    listenFds: values['listen-fds'],
    nonBlocking: values['non-blocking'],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: expandOptions(args, NAMES), options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    if (cause instanceof GraceError) throw cause;
    const message = messageOf(cause);
    throw new GraceError('OPTION_INVALID', message.split('\n', 1)[0]!, { subject: 'arguments', value: args, cause });
  }
}

function number(values: Values, name: keyof Values): number | undefined {
  const text = values[name];
  if (typeof text !== 'string') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new GraceError('OPTION_INVALID', `--${name}=${text}, expected a number`, { subject: name, value: text });
}

function files(values: Values, action: string): { readonly pidFile: string; readonly statusFile: string } {
  return { pidFile: required(values, 'pid-file', action), statusFile: required(values, 'status-file', action) };
}

function required(values: Values, name: 'pid-file' | 'status-file' | 'log-file', action: string): string {
  const value = values[name];
  if (value !== undefined && value !== '') return value;
  throw new GraceError('OPTION_INVALID', `${action} requires --${name}${value === '' ? ', which is empty' : ''}`, {
    subject: name,
    value,
  });
}
