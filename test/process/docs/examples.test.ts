import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import ts from 'typescript';
import { type Documented, readExports } from '../../docs/exports.js';
import { get } from '../../support/http/client.js';
import { type Program, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { freePort } from '../../support/sockets.js';
import { ROOT } from '../../support/sources.js';
import { MAIN } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(110_000);

/** An example of a docstring. */
interface Example {
  readonly name: string;
  readonly kind: Documented['kind'];
  readonly text: string;
}

const EXAMPLES: readonly Example[] = readExports().flatMap(({ name, kind, tags }) => {
  return tags.filter((tag) => tag.name === 'example').map(({ text }) => ({ name, kind, text: `${text}\n` }));
});
/** The examples that are programs; those of options are a line in a call. */
const PROGRAMS = EXAMPLES.filter(({ kind }) => kind !== 'option');
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};
/** They speak to a start_server that runs in the same folder. */
const CONTROL = ['restartServer', 'serverStatus', 'stopServer'];
const SERVER = `
  import { serve } from 'ts-grace/gracehttp';
  await serve({ handler: (request, response) => response.end('hello\\n'), listen: '127.0.0.1:8080' });
`;

/** The ports of the examples, in place of which free ones are used, as many tests run at once. */
const PORTS = ['8080', '9000', '7000'];

async function makePlace(t: Test): Promise<{ folder: string; ports: readonly number[]; adapt: (text: string) => string }> {
  const folder = scratch(t);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  symlinkSync(ROOT, join(modules, 'ts-grace'));
  for (const name of ['ws', '@types']) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  const ports = await Promise.all(PORTS.map(() => freePort()));
  const adapt = (text: string): string => text.replaceAll(new RegExp(PORTS.join('|'), 'g'), (port) => String(ports[PORTS.indexOf(port)]));
  return { folder, ports, adapt };
}

function writeProgram(folder: string, name: string, text: string): string {
  const { outputText } = ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext } });
  const path = join(folder, name);
  writeFileSync(path, outputText);
  return path;
}

/** What an example says that it prints: `console.log(…); // 3`. */
function promised(text: string): string[] {
  return [...text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line = '']) => line);
}

/** Waits until a program accepts connections on a port. */
async function accepts(port: number, program: Program): Promise<void> {
  const connects = (): Promise<boolean> =>
    new Promise((done) => {
      const socket = net.connect(port, '127.0.0.1', () => done(true)).on('error', () => done(false));
      // Not destroyed: what the server has sent would be answered by a reset, which not every example handles.
      socket.on('connect', () => socket.resume().end());
    });
  await waitUntil(`a server on port ${port}`, connects, () => program.report());
}

t.test('every example compiles', async (t) => {
  t.ok(EXAMPLES.length > 18, `${EXAMPLES.length} examples`);
  const { folder } = await makePlace(t);
  mkdirSync(join(folder, 'src'));
  const files = EXAMPLES.map(({ kind, text }, index) => {
    const path = join(folder, 'src', `example-${index}.ts`);
    const head = "import { readFileSync } from 'node:fs';\nimport { App } from 'ts-grace/gracehttp';\n";
    writeFileSync(
      path,
      kind === 'option' ? `${head}export const example = [readFileSync, new App({ ${text.trim()} })];\n` : `${text}export {};\n`,
    );
    return path;
  });
  const program = ts.createProgram(files, OPTIONS);
  const problems = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
    const example = EXAMPLES[Number(/example-(\d+)/.exec(file?.fileName ?? '')?.[1] ?? NaN)];
    return `${example?.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  t.strictSame(problems, []);
});

for (const { name, text } of PROGRAMS) {
  t.test(`the example of ${name} runs, and prints what it says`, async (t): Promise<void> => {
    const { folder, ports, adapt } = await makePlace(t);
    const server = writeProgram(folder, 'server.js', adapt(name === 'serverPorts' ? text : SERVER));
    const isControl = CONTROL.includes(name);
    const starter = isControl || name === 'serverPorts' ? await startWorker(t, folder, ports[0]!, server) : undefined;
    // It has answered.
    if (name === 'serverPorts') return stop(starter!);
    const program = start(t, writeProgram(folder, 'example.js', adapt(text)), { cwd: folder });
    const lines = promised(adapt(text));
    const printed = (): string[] => lines.filter((line) => !program.output.split('\n').includes(line));
    const served = isControl ? undefined : PORTS.findIndex((port) => text.includes(port) && /listen|serve/i.test(text));
    if (served !== undefined && served >= 0) {
      await accepts(ports[served]!, program);
      // What is printed when it has ended comes later.
      await waitUntil(
        'what it prints',
        () => printed().every((line) => line === 'drained'),
        () => program.report(),
      );
      process.kill(program.pid, 'SIGTERM');
    }
    t.match(await program.exited, { code: 0 }, program.stderr);
    await program.ended();
    t.strictSame(printed(), [], 'it printed every line');
    if (starter !== undefined) await stop(starter);
  });
}

/** A start_server with one worker, which serves. */
async function startWorker(t: Test, folder: string, port: number, server: string): Promise<Program> {
  const args = [`--port=127.0.0.1:${port}`, '--pid-file=pid', '--status-file=status', '--interval=0.1', '--', process.execPath, server];
  const program = start(t, MAIN, { cwd: folder, args });
  await waitUntil(
    'an answer of the worker',
    () =>
      get({ port }).then(
        ({ body }) => body === 'hello\n',
        () => false,
      ),
    () => program.report(),
  );
  // It may answer before start_server has heard that it is ready.
  await waitUntil(
    'a worker in the status file',
    () => existsSync(join(folder, 'status')) && readFileSync(join(folder, 'status'), 'utf8') !== '',
    () => program.report(),
  );
  return program;
}

/** Killed, it would leave its worker behind. */
async function stop(starter: Program): Promise<void> {
  starter.process.kill('SIGTERM');
  await starter.ended();
}
