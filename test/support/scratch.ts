import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test } from 'tap';

/** A folder for one test, removed after it. */
export function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'grace-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
