import { type ChosenMutant } from './mutant.js';

const PROBATION = 'process/release/probation';

/** Restarts that are taken back. */
export const REVERSION_MUTANTS: readonly ChosenMutant[] = [
  {
    what: 'a process that serves again says goodbye to its clients',
    file: 'lib/life/drain.ts',
    before: 'if (await until(plan.noneComes)) return;',
    after: 'await plan.noneComes;',
    tests: ['lib/life/drain'],
  },
  {
    what: 'a drain that was taken back ends the one after it',
    file: 'gracehttp/http/http-service.ts',
    before: 'if (drain !== this.#takenBack) return;',
    after: '',
    tests: ['gracehttp/http/http-service'],
  },
  {
    what: 'a restart that is taken back at once is not',
    file: 'lib/life/life.ts',
    before: "void this.#drain('handover', kept, standby);",
    after: "void this.#drain('handover', kept, this.probation.standby);",
    tests: [PROBATION],
  },
  {
    what: 'the second socket comes back when the event loop of the successor goes on',
    file: 'lib/move/returned-sockets.ts',
    before: 'handles.send({ cmd: RETURN, fd } satisfies Return, handle, () => undefined);',
    after: 'channel.send({ cmd: RETURN, fd } satisfies Return, handle);',
    tests: [PROBATION],
  },
  {
    what: 'sockets that come too late stay open',
    file: 'lib/move/returned-sockets.ts',
    before: 'if (this.#over) return handle.close();',
    after: '',
    tests: ['lib/move/returned-sockets'],
  },
  {
    what: 'a successor without its pipe runs on beside the process that serves again',
    file: 'lib/probation/standby.ts',
    before: 'ending.exitCode === undefined',
    after: 'ending.exitCode === null',
    tests: ['lib/probation/standby'],
  },
  {
    what: 'a closed descriptor is passed on',
    file: 'lib/socket/listener.ts',
    before: '    this.#replacement = undefined;\n    this.#source',
    after: '    this.#source',
    tests: ['lib/socket/listener'],
  },
  {
    what: 'a message comes into the middle of another one',
    file: 'lib/handoff/predecessor.ts',
    before: 'this.#pipe.writableLength > 0',
    after: 'this.#pipe.writableLength < 0',
    tests: ['lib/handoff/predecessor'],
  },
  {
    what: 'a server has drained because an earlier drain, which was taken back, had',
    file: 'gracehttp/auto/hold/drained-service.ts',
    before: '        drain = newDrain();\n        service',
    after: '        service',
    tests: ['gracehttp/auto/hold/drained-service'],
  },
  {
    what: 'a process that fails and stops closes the socket for the one that serves again',
    file: 'lib/life/life.ts',
    before: '    this.handedOver = servedByPredecessor;',
    after: '',
    tests: [PROBATION],
  },
  {
    what: 'a server that can accept no more on probation ends the service',
    file: 'lib/life/life.ts',
    before: "this.#state === 'serving' && (await this.probation.fail(messageOf(error)))",
    after: 'false',
    tests: [PROBATION],
  },
  {
    what: 'a stop by a signal that is only passed on is taken for a failure',
    file: 'lib/life/life.ts',
    before: 'endingSignals(this.settings.signals, this.following.isFirst || this.#systemd !== undefined)',
    after: 'this.settings.signals.stop',
    tests: [PROBATION],
  },
  {
    what: 'what a successor asks at once is lost',
    file: 'lib/handoff/questions.ts',
    before: '    this.#waiting = [];',
    after: '',
    tests: [PROBATION],
  },
  {
    what: 'a socket whose path is not known does not accept again',
    file: 'lib/probation/kept-socket.ts',
    before: 'if (listening) return this.close();',
    after: 'if (listening || bound === undefined) return this.close();',
    tests: ['lib/probation/kept-socket'],
  },
];
