import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/sources.js';

export interface Snippet {
  readonly title: string;
  readonly way: 'by auto' | 'by code';
  /** A program, or the command that runs one. */
  readonly kind: 'js' | 'sh';
  readonly text: string;
}

/** Frameworks whose programs have to be built. */
const BUILT = /^(Next\.js|Nitro|SvelteKit)/;

/** Whether a snippet belongs to a program that has to be built. */
export function isBuilt({ title }: Snippet): boolean {
  return BUILT.test(title);
}

/** `FRAMEWORK=gRPC` runs only those whose name has this text. */
const { FRAMEWORK = '' } = process.env;

export function isChosen({ title }: Snippet): boolean {
  return title.includes(FRAMEWORK);
}

/** The programs of docs/frameworks.md; a block that begins with a file name is a file beside them. */
export function readPage(): { readonly snippets: readonly Snippet[]; readonly files: readonly (readonly [string, string])[] } {
  const page = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');
  const snippets: Snippet[] = [];
  const files: (readonly [string, string])[] = [];
  for (const section of page.split(/^## /m).slice(1)) {
    const title = section.slice(0, section.indexOf('\n'));
    for (const [, kind, text = ''] of section.matchAll(/^```(js|sh)\n([^]*?)^```$/gm)) {
      const file = /^\/\/ (\S+\.js)\n/.exec(text)?.[1];
      if (file !== undefined) files.push([file, text]);
      else if (kind === 'sh') snippets.push({ title, way: 'by auto', kind, text });
      else snippets.push({ title, way: text.includes('ts-grace') ? 'by code' : 'by auto', kind: 'js', text });
    }
  }
  return { snippets, files };
}
