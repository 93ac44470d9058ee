import { parseAddress } from '../../../lib/address/address.js';
import { refuseUnknown } from '../../../lib/check/names.js';
import { nearest } from '../../../lib/check/nearest.js';
import { GraceError, show } from '../../../lib/errors.js';
import { HANDOFF } from '../../../lib/launch/preload-contract.js';
import { warn } from '../../../lib/log.js';
import { type GraceOptions, optionNames, readOptions } from '../../../lib/options.js';
import { type PackageFile, findPackage } from './package-file.js';

/** The options of `ts-grace/auto` that `App` does not have. */
interface OwnOptions {
  /** `GRACE_LISTEN`: only servers on these addresses are handed over. Default: all. */
  readonly listen?: string | readonly string[];
  /** `GRACE_READY`: `manual` if the program says by `process.send('ready')` that it is ready. */
  readonly ready?: 'manual' | 'auto';
}
/** What the key `grace` of package.json may have; each is a variable too: `GRACE_DRAIN_TIMEOUT` for `drainTimeout`. */
export type AutoOptions = GraceOptions & OwnOptions;

/** How `ts-grace/auto` works in this process. */
export interface AutoSettings {
  /** For the App. */
  readonly options: GraceOptions;
  /** Addresses; undefined for all. */
  readonly listen: readonly string[] | undefined;
  readonly ready: 'manual' | 'auto';
  /** Where each option was written, by its name: a variable, or the file. */
  readonly sources: ReadonlyMap<string, string>;
}

const PREFIX = 'GRACE_';
/** Variables of this library that are no options. */
const OTHER = [HANDOFF, 'GRACE_AUTO'];
const OWN = ['listen', 'ready'] satisfies readonly (keyof OwnOptions)[];
const NAMES = [...optionNames(), ...OWN];

/**
 * Reads `GRACE_DRAIN_TIMEOUT=10000` and so on, and the key `grace` of package.json.
 * A variable overrides the file.
 *
 * @param file - the package.json of the program.
 * @throws GraceError `OPTION_INVALID` that names the variable or the key, and its value.
 */
export function readSettings(env: NodeJS.ProcessEnv = process.env, file: PackageFile | undefined = findPackage()): AutoSettings {
  const sources = new Map<string, string>();
  const read = (options: AutoOptions, source: (name: string) => string): AutoOptions => {
    for (const name of Object.keys(options)) {
      check({ [name]: options[name as keyof AutoOptions] }, name, source(name));
      sources.set(name, source(name));
    }
    return options;
  };
  const written = read(fromFile(file), (name) => `grace.${name} in ${file?.path}`);
  const { listen, ready = 'auto', ...options } = { ...written, ...read(fromVariables(env), variableOf) };
  readOptions(options);
  const addresses = typeof listen === 'string' ? listen.split(/[\s,]+/).filter((text) => text !== '') : listen;
  return { options, listen: addresses, ready, sources };
}

/** `GRACE_DRAIN_TIMEOUT` for `drainTimeout`. */
export function variableOf(name: string): string {
  return PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function fromFile(file: PackageFile | undefined): AutoOptions {
  if (file === undefined) return {};
  const { grace, path } = file;
  if (typeof grace !== 'object' || grace === null || Array.isArray(grace)) {
    throw new GraceError('OPTION_INVALID', `grace in ${path} is ${show(grace)}, expected an object`, { subject: 'grace', value: grace });
  }
  refuseUnknown({ options: grace, where: `grace in ${path}`, names: NAMES, prefix: 'grace.' });
  return grace;
}

function fromVariables(env: NodeJS.ProcessEnv): AutoOptions {
  const variables = Object.keys(env).filter((variable) => variable.startsWith(PREFIX) && !OTHER.includes(variable));
  const found: Record<string, unknown> = {};
  if (variables.length === 0) return found;
  const names = new Map(NAMES.map((name) => [variableOf(name), name]));
  for (const variable of variables) {
    const text = env[variable]!;
    const name = names.get(variable);
    if (name === undefined) refuseMistake(variable, text, [...names.keys()]);
    else found[name] = parseValue(variable, name, text);
  }
  return found;
}

/** Another program may have a variable that begins like ours. */
function refuseMistake(variable: string, value: string, variables: readonly string[]): void {
  const meant = nearest(
    variable.slice(PREFIX.length),
    variables.map((name) => name.slice(PREFIX.length)),
  );
  if (meant === undefined) return warn(`there is no option for the variable ${variable}`);
  const message = `there is no option for the variable ${variable}: did you mean ${PREFIX}${meant}?`;
  throw new GraceError('OPTION_INVALID', message, { subject: variable, value });
}

/** Numbers, true and false, lists and objects are as in JSON. */
function parseValue(variable: string, name: string, text: string): unknown {
  const isText = name === 'pidFile' || name === 'listen' || name === 'ready';
  if (isText || !/^\s*([[{]|-?[\d.]+\s*$|(true|false)\s*$)/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new GraceError('OPTION_INVALID', `${variable} is ${show(text)}, expected JSON`, { subject: variable, value: text, cause });
  }
}

/** Refuses one option, with the place at which it was written. */
function check(option: AutoOptions, name: string, subject: string): void {
  try {
    if (name === 'listen') checkAddresses(option.listen);
    else if (name === 'ready') checkReady(option.ready);
    else readOptions(option);
  } catch (cause) {
    if (!(cause instanceof GraceError)) throw cause;
    const message = cause.message.replace(/^the option \S+/, subject);
    const named = message.startsWith(subject) ? message : `${subject}: ${message}`;
    throw new GraceError('OPTION_INVALID', named, { subject, value: option[name as keyof AutoOptions], cause });
  }
}

function checkAddresses(value: unknown): void {
  const list = typeof value === 'string' ? value.split(/[\s,]+/).filter((text) => text !== '') : value;
  const valid = Array.isArray(list) && list.every((text) => typeof text === 'string');
  if (!valid) throw invalid('listen', value, 'addresses');
  for (const address of list as readonly string[]) parseAddress(address);
}

function checkReady(value: unknown): void {
  if (value !== 'manual' && value !== 'auto') throw invalid('ready', value, "'manual' or 'auto'");
}

function invalid(name: string, value: unknown, expected: string): GraceError {
  return new GraceError('OPTION_INVALID', `the option ${name} is ${show(value)}, expected ${expected}`, { subject: name, value });
}
