import { type ChosenMutant } from './mutant.js';

const SENDER = 'lib/move/sender.ts';
const STANDBY = 'lib/probation/standby.ts';
const TEST_OF_SENDER = 'lib/move/sender';
const MOVE = 'process/move/http';
const PROBATION = 'process/release/probation';

export const MOVE_MUTANTS: readonly ChosenMutant[] = [
  {
    what: 'a connection that was not taken is never read again',
    file: SENDER,
    before: '    else readOn(socket);',
    after: '',
    tests: [TEST_OF_SENDER, MOVE],
  },
  {
    what: 'a connection that has moved stays open in the old process too',
    file: SENDER,
    before: '    if (taken) socket.destroy();\n    else',
    after: '    if (!taken)',
    tests: [TEST_OF_SENDER, MOVE],
  },
  {
    what: 'what was under way is lost when the successor dies',
    file: SENDER,
    before: '    for (const id of this.#underWay.keys()) this.#settle(id, false);\n    this.#handlers',
    after: '    this.#handlers',
    tests: [TEST_OF_SENDER],
  },
  {
    what: 'nobody asks for connections that were lost on the way',
    file: SENDER,
    before: '    this.#timer ??= setInterval(() => this.#ask(), ASK_EVERY_MS);',
    after: '',
    tests: [TEST_OF_SENDER],
  },
  {
    what: 'a successor that stops takes connections',
    file: 'lib/move/receiver.ts',
    before: 'taker === undefined || this.#refusing',
    after: 'taker === undefined',
    tests: [TEST_OF_SENDER],
  },
  {
    what: 'a response without end moves, and half of the next request stays',
    file: 'gracehttp/http/http-connections.ts',
    before: ' && !hasBegun(this.#server, socket);',
    after: ';',
    tests: ['gracehttp/http/http-connections'],
  },
  {
    what: 'a new process that dies on probation is not noticed',
    file: STANDBY,
    before: "successor.onEnd = () => this.#takeBack({ kind: 'ended' });",
    after: '',
    tests: [PROBATION],
  },
  {
    what: 'a new process that hangs is not killed',
    file: STANDBY,
    before: "    if (fault.kind === 'hung') successor.kill();",
    after: '',
    tests: [PROBATION],
  },
  {
    what: 'sockets that the new version dropped stay closed after it was taken back',
    file: STANDBY,
    before: ', ...dropped.map(bindAgain)]',
    after: ']',
    tests: [PROBATION],
  },
  {
    what: 'probation never ends by itself',
    file: STANDBY,
    before: '    this.#timer = setTimeout(() => this.#whenHeard(() => this.#letGo()), terms.time);',
    after: '',
    tests: [PROBATION],
  },
  {
    what: 'signs of life are not heard',
    file: 'lib/probation/silence.ts',
    before: '  heard(): void {\n    this.#looks = Math.min(this.#looks, 0);',
    after: '  heard(): void {',
    tests: ['lib/probation/silence', PROBATION],
  },
  {
    what: 'after a restart was taken back no further one is possible',
    file: 'lib/life/life.ts',
    before: '    this.restarts.reset();',
    after: '',
    tests: [PROBATION],
  },
  {
    what: 'a first process that serves again seems to be gone',
    file: 'lib/follow/first-process.ts',
    before: '    this.#pipe.unref();',
    after: '    this.#pipe.destroy();',
    tests: ['lib/follow/first-process'],
  },
  {
    what: 'a socket that cannot be opened again ends the old process',
    file: 'lib/probation/kept-socket.ts',
    before: '    warn(`${listener.asked}',
    after: '    throw error;\n    warn(`${listener.asked}',
    tests: [PROBATION],
  },
  {
    what: 'a stop does not wait for an old process that still stands by',
    file: 'lib/probation/newcomer.ts',
    before: '!this.#say(message) || !this.#standsBy',
    after: '!this.#active || !this.#say(message)',
    tests: ['lib/probation/newcomer'],
  },
  {
    what: 'a stop of the service does not end handoverTime',
    file: 'lib/probation/standby.ts',
    before: '    this.#dismiss();',
    after: '',
    tests: ['process/release/handover'],
  },
  {
    what: 'a signal that was not aborted is replaced when a restart is taken back',
    file: 'lib/life/lazy-signal.ts',
    before: '    if (this.#reason === undefined) return;\n    this.#controller = undefined;',
    after: '    this.#controller = undefined;',
    tests: ['lib/life/lazy-signal'],
  },
  {
    what: 'WebSockets get no goodbye after a restart was taken back',
    file: 'gracehttp/websocket/move-web-sockets.ts',
    before: "  app.on('draining', () => app.closing.addEventListener('abort', sayGoodbye));",
    after: "  app.closing.addEventListener('abort', sayGoodbye);",
    tests: ['process/move/chat'],
  },
  {
    what: 'a WebSocket whose state cannot be sent is let go',
    file: 'gracehttp/websocket/move-web-sockets.ts',
    before: '      checkState(moved);',
    after: '',
    tests: ['gracehttp/websocket/move-web-sockets'],
  },
  {
    what: 'a connection whose state cannot be sent stays open, and nobody reads it',
    file: 'lib/move/kept.ts',
    before: '    socket.destroy();\n    return undefined;',
    after: '    return undefined;',
    tests: ['lib/move/kept'],
  },
];
