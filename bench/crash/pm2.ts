import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '7.0.3';

/** The command of PM2, installed once into a cache folder, as it is too large to be a dependency; undefined if npm cannot. */
export function pm2Command(): string | undefined {
  const folder = join(homedir(), '.cache', 'ts-grace-bench', `pm2-${VERSION}`);
  const command = join(folder, 'node_modules', 'pm2', 'bin', 'pm2');
  if (!existsSync(command)) install(folder);
  if (existsSync(command)) return command;
  console.log(`PM2 is left out: "npm install pm2@${VERSION}" failed`);
  return undefined;
}

function install(folder: string): void {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const { status } = spawnSync('npm', ['install', '--prefix', draft, '--no-audit', '--no-fund', '--silent', `pm2@${VERSION}`], {
    stdio: 'ignore',
  });
  if (status === 0) renameSync(draft, folder);
  rmSync(draft, { recursive: true, force: true });
}
