import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { type CompiledProgram, PROCESS_STATE } from '../../../lib/launch/preload-contract.js';

/**
 * What `import 'ts-grace/auto'` loads in Node.js. V8 needs some milliseconds to compile this
 * library, for which a successor's clients wait. So a successor gets what V8 has made of the
 * same text in its predecessor.
 */

/** `ts-grace/auto` as one CommonJS module in ASCII, made by the build. */
const FILE = fileURLToPath(new URL('./program.cjs', import.meta.url));

type Auto = typeof import('../index.js');
/** What the module uses of all that `require()` passes to one. */
type Wrapper = (exports: object, file: string) => void;
const [HEAD, TAIL] = ['(function (exports, __filename) { ', '\n});'].map((text) => Buffer.from(text)) as [Buffer, Buffer];

export const { begin } = load();

function load(): Auto {
  const state = processState();
  const received = receive(state.program?.received);
  delete state.program;
  // Node.js does not use them for a script.
  if (process.sourceMapsEnabled) return process.getBuiltinModule('node:module').createRequire(FILE)(FILE) as Auto;
  // As bytes: of such long strings V8 has to collect the garbage sooner.
  const text = Buffer.concat([HEAD, readFileSync(FILE), TAIL]);
  const isSame = received?.subarray(0, text.length).equals(text) === true;
  const script = new Script(text.toString('latin1'), {
    filename: FILE,
    ...(isSame && { cachedData: received!.subarray(text.length) }),
  });
  state.program = {
    ...(script.cachedDataRejected === false && { used: received! }),
    make: () => Buffer.concat([text, script.createCachedData()]),
  };
  const exports = {};
  (script.runInThisContext() as Wrapper)(exports, FILE);
  return exports as Auto;
}

function processState(): { program?: CompiledProgram } {
  const key = Symbol.for(PROCESS_STATE);
  const state = (Reflect.get(globalThis, key) ?? {}) as { program?: CompiledProgram };
  Reflect.set(globalThis, key, state);
  return state;
}

/** Reads the file that the predecessor has left: the text, and what V8 has made of it. Undefined if there is none. */
function receive(fd: number | undefined): Buffer | undefined {
  if (fd === undefined) return undefined;
  try {
    const content = Buffer.allocUnsafeSlow(fstatSync(fd).size);
    // All processes that have this file share its position.
    const length = readSync(fd, content, 0, content.length, 0);
    closeSync(fd);
    return content.subarray(0, length);
  } catch {
    return undefined;
  }
}
