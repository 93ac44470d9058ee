import { spawn } from 'node:child_process';
import { type Duplex } from 'node:stream';
import { formatLine } from '../../lib/handoff/json.js';
import { readLines } from '../../lib/handoff/lines.js';
import { successorCommand } from '../../lib/launch/command.js';
import { throughIntermediate } from '../../lib/launch/intermediate.js';
import { sendSignal } from '../process/managed-process.js';
import { UPGRADE, type UpgradeMessage, type Yours, parseMessage } from './messages.js';
import { type PassedDescriptors } from './passed-descriptors.js';

/** How long the new start_server may take until it is ready. */
const READY_TIMEOUT_MS = 60_000;

/** The old start_server's end of the conversation with the one that is to replace it. */
export class UpgradeSuccessor {
  readonly #pipe: Duplex;
  readonly #timer: NodeJS.Timeout;
  #pid: number | undefined;
  #over = false;
  #settle: (failure: string | undefined) => void = () => undefined;
  #onReady: () => Yours = () => {
    throw new Error('ready too early');
  };

  private constructor(pipe: Duplex) {
    this.#pipe = pipe;
    this.#timer = setTimeout(() => this.giveUp(`it was not ready within ${READY_TIMEOUT_MS / 1000} seconds`), READY_TIMEOUT_MS);
    pipe.on('error', () => undefined);
    pipe.on('close', () => this.giveUp('it exited before it was ready; its reason is on stderr'));
    readLines(pipe, (line) => this.#onMessage(parseMessage(line)));
  }

  /**
   * Starts it: the same command, in the version that is installed now. It is no
   * child of this process, because systemd treats a child of its main process as an alien process.
   */
  static async start(passed: PassedDescriptors): Promise<UpgradeSuccessor> {
    const { file, args, cwd } = throughIntermediate(await successorCommand());
    const stdio = ['inherit', 'inherit', 'inherit', ...passed.list, 'pipe'] as const;
    const control = stdio.length - 1;
    const child = spawn(file, args, { cwd, env: { ...process.env, [UPGRADE]: String(control) }, stdio: [...stdio] });
    const failed = new Promise<never>((_, fail) => {
      child.on('error', fail);
    });
    failed.catch(() => undefined);
    const pipe = child.stdio?.[control] as Duplex | undefined;
    if (pipe === undefined) return failed;
    pipe.write(formatLine(passed.hello));
    return new UpgradeSuccessor(pipe);
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  /**
   * Waits until it serves.
   *
   * @param onReady - it is ready: from now on it owns what the result says.
   * @returns why it failed; undefined if it serves.
   */
  serves(onReady: () => Yours): Promise<string | undefined> {
    this.#onReady = onReady;
    return new Promise((done) => {
      this.#settle = done;
    });
  }

  /** Kills it, unless it serves. */
  giveUp(reason: string): void {
    if (this.#over) return;
    if (this.#pid !== undefined) sendSignal(this.#pid, 'SIGKILL');
    this.#end(reason);
  }

  #onMessage(message: UpgradeMessage | undefined): void {
    if (message?.type === 'started') this.#pid = message.pid;
    if (message?.type === 'failed') this.giveUp(message.reason);
    if (message?.type === 'ready') this.#pipe.write(formatLine(this.#onReady()));
    if (message?.type === 'serving') this.#end(undefined);
  }

  #end(failure: string | undefined): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#settle(failure);
    if (failure !== undefined) this.#pipe.destroy();
  }
}
