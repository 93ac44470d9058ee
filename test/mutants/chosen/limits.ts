import { type ChosenMutant } from './mutant.js';

const LIMIT = 'gracehttp/limit/connection-limit.ts';
const QUEUE = 'gracehttp/limit/connection-queue.ts';
const HANDOFF = 'gracehttp/limit/limit-handoff.ts';
const TEST_OF_LIMIT = 'gracehttp/limit/connection-limit';
const TEST_OF_QUEUE = 'gracehttp/limit/connection-queue';
const PROCESS = 'process/limit';
const HAND_OVER = 'process/handoff/limit';

export const LIMIT_MUTANTS: readonly ChosenMutant[] = [
  {
    what: 'a newcomer overtakes those that wait',
    file: LIMIT,
    before: 'this.queued === 0 && this.#givesPlaces',
    after: 'this.#givesPlaces',
    tests: [TEST_OF_LIMIT, TEST_OF_QUEUE, PROCESS],
  },
  {
    what: 'one more than the limit gets a place',
    file: LIMIT,
    before: 'return this.free > 0 &&',
    after: 'return this.free >= 0 &&',
    tests: [TEST_OF_LIMIT],
  },
  {
    what: 'after limit(Infinity) a successor queues everything',
    file: LIMIT,
    before: '    if (this.#maximum === Infinity) return Infinity;\n',
    after: '',
    tests: [TEST_OF_LIMIT, PROCESS],
  },
  {
    what: 'the queue may be longer than maxQueued',
    file: LIMIT,
    before: 'return this.queued < this.#maxQueued;',
    after: 'return this.queued <= this.#maxQueued;',
    tests: ['gracehttp/limit/overflow', TEST_OF_QUEUE],
  },
  {
    what: 'a connection gets the place of one that has moved',
    file: LIMIT,
    before: ' && !this.#connections.waitingMove',
    after: '',
    tests: [TEST_OF_LIMIT],
  },
  {
    what: 'a refused connection takes a place until it has closed',
    file: LIMIT,
    before: 'this.#connections.size - this.queued - this.#closing.size',
    after: 'this.#connections.size - this.queued',
    tests: ['gracehttp/limit/overflow', TEST_OF_QUEUE, TEST_OF_LIMIT],
  },
  {
    what: 'a connection that moved keeps a place reserved in the successor',
    file: LIMIT,
    before: 'this.#reserved = Math.max(0, this.#reserved - 1);',
    after: '',
    tests: [TEST_OF_LIMIT, 'process/move/limited'],
  },
  {
    what: 'a place that becomes free goes to nobody',
    file: LIMIT,
    before: '      this.#queue.deliverSoon();',
    after: '',
    tests: [TEST_OF_LIMIT],
  },
  {
    what: 'requests of clients that have left are run',
    file: QUEUE,
    before: 'if (this.#options.dropsLeft) void this.#deliverIfThere(socket);\n      else this.#deliver(socket);',
    after: 'this.#deliver(socket);',
    tests: [TEST_OF_QUEUE],
  },
  {
    what: 'a connection that has waited too long hears nothing',
    file: QUEUE,
    before: '      this.#handler.expire(socket);',
    after: '',
    tests: [TEST_OF_QUEUE],
  },
  {
    what: 'only the first connection that waits too long is noticed',
    file: QUEUE,
    before: '    this.#expireLater();\n    this.#handler.onChange();\n  }\n}',
    after: '    this.#handler.onChange();\n  }\n}',
    tests: [TEST_OF_QUEUE],
  },
  {
    what: 'a queued connection of a program is read before its turn',
    file: QUEUE,
    before: 'if (!socket.isPaused()) socket.pause();',
    after: '',
    tests: [TEST_OF_LIMIT],
  },
  {
    what: 'two generations together have more connections than the limit',
    file: HANDOFF,
    before: '      this.#reserve(key, served, Infinity);',
    after: '',
    tests: [HAND_OVER],
  },
  {
    what: 'a successor waits for the places of a predecessor that has died',
    file: HANDOFF,
    before: '() => this.#reserve(key, served, 0),',
    after: '() => undefined,',
    tests: [HAND_OVER],
  },
  {
    what: 'a full predecessor makes no room for newcomers of its successor',
    file: HANDOFF,
    before: 'served.connectionLimit.makeRoomFor(value);',
    after: '',
    tests: [PROCESS],
  },
  {
    what: 'a limit that was set at run time is lost at a restart',
    file: HANDOFF,
    before: '  if (limitChanged) return { limit };',
    after: '',
    tests: [PROCESS],
  },
  {
    what: 'connections leave for others that waited in a dead successor',
    file: HANDOFF,
    before: 'connectionLimit.serveAgain();',
    after: '{}',
    tests: [PROCESS],
  },
  {
    what: 'connections that come back from a dead successor get no place',
    file: 'gracehttp/http/move-connections.ts',
    before: '  #serveWaiting(): void {',
    after: '  #serveWaiting(): void {\n    if (!this.#connections.waitingMove) return;',
    tests: ['gracehttp/http/move-connections'],
  },
  {
    what: 'a connection that comes back from a successor has to wait again',
    file: 'lib/socket/connections.ts',
    before: '.filter(([, other]) => other > since)',
    after: '.filter(() => false)',
    tests: ['lib/socket/connections'],
  },
  {
    what: 'a client that resets its connection while it waits ends the process',
    file: QUEUE,
    before: "    socket.on('error', ignore);",
    after: '',
    tests: [TEST_OF_QUEUE],
  },
  {
    what: 'a connection that has waited in the old process waits as long once more',
    file: QUEUE,
    before: 'oldest >= this.#timedSince',
    after: 'this.#timedSince !== Infinity',
    tests: [TEST_OF_QUEUE],
  },
];
