#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { messageOf } from '../../lib/errors.js';
import { type Request, readCommandLine } from './command-line.js';
import { foregroundReporter, runInBackground } from './daemonize.js';
import { HELP } from './help.js';
import { stderrOutput } from '../log/log-output.js';
import { isUpgrade } from '../upgrade/messages.js';
import { memoryTrimmer } from '../process/trim-memory.js';
import { ignoreSignals } from '../process/inert-signals.js';
import { type StartObserver } from '../start.js';
import { printProgress } from './progress.js';

/** Runs a request and loads only the code for it. Returns the exit code. */
async function run(request: Request): Promise<number> {
  switch (request.action) {
    case 'help':
      process.stdout.write(HELP);
      return 0;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return 0;
    case 'restart': {
      const { restartServer } = await import('../control/restart.js');
      await printProgress((onProgress) => restartServer(request, onProgress), request.json);
      return 0;
    }
    case 'stop': {
      const { stopServer } = await import('../control/stop.js');
      await stopServer(request, (pid) => {
        stderrOutput.say(`stop_server (pid:${process.pid}) stopping now (pid:${pid})...`);
      });
      return 0;
    }
    case 'status': {
      const { printStatus } = await import('./print-status.js');
      await printStatus(request);
      return 0;
    }
    case 'upgrade': {
      const { upgradeServer } = await import('../control/upgrade.js');
      const result = await upgradeServer(request);
      const { before, pid, elapsed, workers } = result;
      const text = `process ${pid} has replaced start_server (process ${before}), ${workers.length} workers go on, after ${(elapsed / 1000).toFixed(1)} s`;
      process.stdout.write(`${request.json ? JSON.stringify(result) : text}\n`);
      return 0;
    }
    case 'start': {
      const background = foregroundReporter();
      if (request.daemonize && background === undefined && !isUpgrade()) return runInBackground(stderrOutput.say);
      compileNothing();
      ignoreSignals();
      const { startServer } = await import('../start.js');
      const observer = { ...background, onBound: () => serveOn(background), onIdle: memoryTrimmer() };
      await startServer(request.options, observer).catch((error: unknown) => {
        background?.fail(`start_server: ${messageOf(error)}`);
        throw error;
      });
      return 0;
    }
  }
}

/** A process that does little for months gains nothing from compiled code, which takes 7 MiB, some of it after hundreds of deploys. */
function compileNothing(): void {
  for (const compiler of ['opt', 'maglev', 'sparkplug']) setFlagsFromString(`--no-${compiler}`);
}

/** From now on no error is a reason to abandon the workers. */
function serveOn(background: StartObserver | undefined): void {
  process.on('uncaughtException', (error) => stderrOutput.say(`start_server goes on after an error: ${error.stack ?? messageOf(error)}`));
  background?.onBound?.();
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  return text;
}

async function main(): Promise<void> {
  try {
    process.exitCode = await run(readCommandLine(process.argv.slice(2)));
  } catch (error) {
    stderrOutput.say(`start_server: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}

// If nobody reads stderr any more, that is no reason to stop serving.
process.stderr.on('error', () => undefined);
void main();
