import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import { type Test } from 'tap';
import { makeCertificate } from '../../support/certificate.js';
import { scratch } from '../../support/scratch.js';
import { ROOT } from '../../support/sources.js';
import { MAIN } from '../../support/starter.js';

/** One block of code in a page. */
export interface Snippet {
  /** The page, the language, and its number among those of this language: `readme.md js 1`. */
  readonly name: string;
  readonly text: string;
}

/** Its programs need frameworks: test/slow/frameworks runs them. */
const ELSEWHERE = 'frameworks.md';

/** The readme and the pages in docs/. */
const PAGES = [
  'readme.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md') && file !== ELSEWHERE)
    .map((file) => `docs/${file}`),
];

/** All blocks of code of all pages, by name. */
export const SNIPPETS: ReadonlyMap<string, string> = new Map(
  PAGES.flatMap((page) => snippetsOf(page)).map(({ name, text }) => [name, text]),
);

/** The blocks of one page. */
export function snippetsOf(page: string, text = readFileSync(join(ROOT, page), 'utf8')): Snippet[] {
  const counts = new Map<string, number>();
  return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, label = '', block = '']) => {
    const language = label === '' ? 'text' : label;
    const count = (counts.get(language) ?? 0) + 1;
    counts.set(language, count);
    return { name: `${page} ${language} ${count}`, text: block };
  });
}

/** A project of a user, with ts-grace installed and a certificate. */
export interface Project {
  readonly folder: string;
  /** The certificate in cert.pem, whose key is in key.pem. */
  readonly cert: string;
  /** Writes `server.js` as a snippet has it. Returns its path. */
  write(snippet: string): string;
}

export async function makeProject(t: Test): Promise<Project> {
  const folder = scratch(t);
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  symlinkSync(ROOT, join(modules, 'ts-grace'));
  symlinkSync(join(ROOT, 'node_modules', 'ws'), join(modules, 'ws'));
  writeFileSync(join(modules, '.bin', 'start_server'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, { mode: 0o755 });
  const { cert } = await makeCertificate(folder);
  const path = join(folder, 'server.js');
  return {
    folder,
    cert,
    write: (snippet) => {
      const text = SNIPPETS.get(snippet);
      if (text === undefined) throw new Error(`there is no ${snippet}`);
      writeFileSync(path, text);
      return path;
    },
  };
}

/** Why a snippet cannot run here: it names a port, and another program listens there. */
export async function takenPort(snippet: string): Promise<string | false> {
  const ports = [...(SNIPPETS.get(snippet) ?? '').matchAll(/[:u](\d{4,5})'/g)].map(([, port]) => Number(port));
  for (const port of ports) if (!(await isFree(port))) return `port ${port} is in use on this machine`;
  return false;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = net.createServer();
    server.once('error', () => done(false));
    server.listen(port, () => server.close(() => done(true)));
  });
}
