import { type ChosenMutant } from './mutant.js';

const PREDECESSOR = 'lib/handoff/predecessor.ts';
const SUCCESSOR = 'lib/handoff/successor.ts';
const HAND_OVER = 'process/handoff/hand-over';
const TAKE_OVER = 'lib/inherit/take-over';
const RESTART = 'process/handoff/restart';

export const HAND_OVER_MUTANTS: readonly ChosenMutant[] = [
  {
    what: 'a successor accepts before it is acknowledged',
    file: PREDECESSOR,
    before: '    await released;',
    after: '    void released;',
    tests: ['lib/handoff/predecessor', HAND_OVER],
  },
  {
    what: 'a successor takes over when its pipe is closed, though its predecessor lives',
    file: PREDECESSOR,
    before: 'if (this.#waiting) void untilGone(this.pid, () => !this.#waiting).then(this.#release);',
    after: 'this.#release();',
    tests: ['lib/handoff/predecessor', HAND_OVER],
  },
  {
    what: 'an acknowledgement counts with any nonce',
    file: PREDECESSOR,
    before: "message?.type === 'yours' && message.nonce === this.#handoff.nonce",
    after: "message?.type === 'yours'",
    tests: ['lib/handoff/predecessor'],
  },
  {
    what: 'a variable that has leaked counts, whatever the greeting says',
    file: PREDECESSOR,
    before: "message?.type === 'hello' && message.nonce === nonce",
    after: "message?.type === 'hello'",
    tests: ['lib/handoff/predecessor', 'process/handoff/inherit'],
  },
  {
    what: 'a queued restart is not passed on to the successor',
    file: PREDECESSOR,
    before: "if (message?.type === 'restart') this.onRestart();",
    after: '',
    tests: [RESTART, 'lib/handoff/predecessor'],
  },
  {
    what: 'a successor that was given up is acknowledged',
    file: SUCCESSOR,
    before: 'nonce === this.#nonce && this.#stopped === undefined &&',
    after: 'nonce === this.#nonce &&',
    tests: ['lib/handoff/successor'],
  },
  {
    what: 'a successor that ignores SIGTERM stays',
    file: SUCCESSOR,
    before: "      this.#signal('SIGKILL');\n      // A successor",
    after: '      // A successor',
    tests: [RESTART, HAND_OVER],
  },
  {
    what: 'a successor that has to be killed goes on',
    file: SUCCESSOR,
    before: "  kill(): void {\n    this.#signal('SIGKILL');",
    after: '  kill(): void {',
    tests: ['process/release/probation', 'process/stop', HAND_OVER],
  },
  {
    what: 'stderr of a failed successor is not reported',
    file: SUCCESSOR,
    before: 'this.#stderr = endOf(this.#stderr + message.text);',
    after: '',
    tests: [RESTART],
  },
  {
    what: 'a successor that is ready late has no time left until it serves',
    file: SUCCESSOR,
    before: '    this.#startup.beginAgain();',
    after: '',
    tests: [HAND_OVER],
  },
  {
    what: 'a message that waits in the pipe at restartTimeout is not read',
    file: 'lib/handoff/startup.ts',
    before: 'this.#lastLook = setImmediate(() => this.#giveUp(`was not ready within ${this.#timeout} ms`));',
    after: 'this.#giveUp(`was not ready within ${this.#timeout} ms`);',
    tests: ['lib/handoff/startup', HAND_OVER],
  },
  {
    what: 'a request for a restart during a restart is dropped',
    file: 'lib/handoff/restarter.ts',
    before: '      this.#again = true;',
    after: '',
    tests: ['lib/handoff/restarter', RESTART],
  },
  {
    what: 'inherited sockets accept before new addresses have been tried',
    file: 'lib/inherit/take-over.ts',
    before: 'if (!listener.inherited) await listener.open();',
    after: 'await listener.open();',
    tests: [TAKE_OVER],
  },
  {
    what: 'a successor that was told to stop while it waits takes over',
    file: 'lib/inherit/take-over.ts',
    before: '  await acknowledged;\n  if (stopped()) return false;',
    after: '  await acknowledged;',
    tests: [TAKE_OVER],
  },
  {
    what: 'a pid file that cannot be written is noticed only after the predecessor was told',
    file: 'lib/inherit/take-over.ts',
    before: '  pidFile?.check();',
    after: '',
    tests: [TAKE_OVER],
  },
  {
    what: 'the pid file is not put back after a failed restart',
    file: 'lib/life/life.ts',
    before: '      await this.generation.restoreFiles();\n      this.#systemd',
    after: '      this.#systemd',
    tests: [HAND_OVER],
  },
  {
    what: 'a stop closes the sockets while a successor still starts',
    file: 'lib/life/drain-plan.ts',
    before: 'Promise.all([restarts.settled(), ',
    after: 'Promise.all([',
    tests: [HAND_OVER],
  },
  {
    what: 'a server that was closed and opened again is handed over with its old descriptor',
    file: 'lib/inherit/generation.ts',
    before: '    else this.sockets[place] = listener;',
    after: '    else this.sockets.push(listener);',
    tests: ['process/auto/ready'],
  },
  {
    what: 'a successor that was given up waits for an answer that does not come',
    file: SUCCESSOR,
    before: 'this.#stopped === undefined ? this',
    after: 'true ? this',
    tests: ['lib/handoff/successor'],
  },
  {
    what: 'a server that comes after ready() never accepts in a successor',
    file: 'lib/socket/listener.ts',
    before: '    this.#waits = false;',
    after: '',
    tests: ['process/sockets/net-server'],
  },
  {
    what: 'a named server keeps the address of the version before',
    file: 'lib/address/match.ts',
    before: " && origin !== 'bound'",
    after: '',
    tests: ['lib/address/match'],
  },
  {
    what: 'a second request changes the timeout of the running restart',
    file: 'lib/handoff/restarts.ts',
    before: 'this.#prepare(deadline, { own, timeout })',
    after: 'this.#prepare(deadline, { own, timeout: this.#timeout })',
    tests: ['lib/handoff/restarts'],
  },
];
