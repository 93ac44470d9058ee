import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture } from './program.js';

/** A program that can be replaced between two restarts. */
export class Deployment {
  readonly path: string;

  constructor(folder: string, program: string) {
    this.path = join(mkdtempSync(join(folder, 'release-')), 'server.mjs');
    this.replace(program);
  }

  /** @param program - `$FIXTURE/name` in it becomes the path of that fixture. */
  replace(program: string): void {
    writeFileSync(this.path, program.replace(/\$FIXTURE\/([\w-]+)/g, (_, name: string) => fixture(name)));
  }
}
