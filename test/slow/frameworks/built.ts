import { rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type Test } from 'tap';
import { type Program, start } from '../../support/program.js';
import { httpClients } from './clients.js';
import { type Snippet } from './page.js';
import { survives } from './survives.js';

const PROGRAM = 'server.js';

/** Runs a snippet in the folder of a program that was built, and restarts it under load. */
export async function builtSurvives(t: Test, folder: string, snippet: Snippet): Promise<void> {
  await survives(t, startBuilt(t, folder, snippet), httpClients());
}

function startBuilt(t: Test, cwd: string, { kind, way, text }: Snippet): Program {
  const { PATH = '' } = process.env;
  const env = { PATH: `${dirname(process.execPath)}${delimiter}${PATH}`, NEXT_TELEMETRY_DISABLED: '1' };
  if (kind === 'sh') return start(t, cwd, { cwd, env, shell: `exec ${text}` });
  writeFileSync(join(cwd, PROGRAM), text);
  t.teardown(() => rmSync(join(cwd, PROGRAM)));
  return start(t, PROGRAM, { cwd, env, nodeArgs: way === 'by auto' ? ['--import', 'ts-grace/auto'] : [] });
}
