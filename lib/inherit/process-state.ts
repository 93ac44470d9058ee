import { type State } from '../events.js';
import { type Channel, type CompiledProgram, PROCESS_STATE, type Preload } from '../launch/preload-contract.js';
import { type Inheritance } from './inheritance.js';

/**
 * What a process has only once. It is on `globalThis`, because a program can
 * load this library twice: `ts-grace/starter` is bundled apart from the rest,
 * and a dependency may bring another copy.
 */
export interface ProcessState {
  /** What the preload of a successor left; undefined from the moment it is used. */
  preload: Preload | undefined;
  /** The channel by which the predecessor's connections come; undefined if no connection can come. */
  channel: Channel | undefined;
  /** There with `ts-grace/auto`, or if the predecessor has left it. */
  program: CompiledProgram | undefined;
  /** The variables that passed sockets to this process, taken out of its environment. */
  variables: Readonly<Record<string, string>>;
  /** Whether the variables were found to be invalid. That is reported once; after it they count as absent. */
  refused: boolean;
  /** What this process was started with, from the first time that it is needed. */
  inheritance: Promise<Inheritance> | undefined;
  /** The Grace or App of this process. Signals and inherited sockets belong to one at a time. */
  grace: { readonly state: State } | undefined;
  /** How many copies of Grace are loaded: `ts-grace/auto` has one of its own. */
  copies: number;
}

export const processState: ProcessState = findState();

function findState(): ProcessState {
  const key = Symbol.for(PROCESS_STATE);
  const found = (Reflect.get(globalThis, key) ?? {}) as Partial<ProcessState>;
  const { preload, channel, program, variables = {}, refused = false, inheritance, grace, copies = 0 } = found;
  const state = Object.assign(found, { preload, channel, program, variables, refused, inheritance, grace, copies });
  Reflect.set(globalThis, key, state);
  return state;
}
