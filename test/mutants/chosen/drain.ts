import { type ChosenMutant } from './mutant.js';

const STOP = 'process/stop';
const SERVICE = 'gracehttp/http/http-service';

export const DRAIN_MUTANTS: readonly ChosenMutant[] = [
  {
    what: "a final stop does not empty the kernel's queue",
    file: 'lib/socket/accept/close-listening.ts',
    before: 'const QUIET_TURNS = 8;',
    after: 'const QUIET_TURNS = 0;',
    tests: ['gracehttp/limit/connection-queue', 'lib/socket/listener', STOP],
  },
  {
    what: 'closing the listening socket destroys idle connections',
    file: 'lib/socket/accept/close-listening.ts',
    before: 'if (server.listening) net.Server.prototype.close.call(server);',
    after: 'if (server.listening) server.close();',
    tests: [SERVICE, STOP],
  },
  {
    what: 'after a hand-over the kernel queue is emptied, instead of left to the successor',
    file: 'lib/life/drain.ts',
    before: 'stopAccepting(!handedOver.has(listener.fd))',
    after: 'stopAccepting(true)',
    tests: ['process/handoff/restart', 'process/handoff/load', 'process/handoff/hand-over'],
  },
  {
    what: 'clients are never told to leave',
    file: 'lib/life/drain.ts',
    before: '      plan.onBegin();',
    after: '',
    tests: ['gracehttp/app', 'gracehttp/entry/goodbye', 'process/goodbye'],
  },
  {
    what: 'onShutdown has no time if the connections used it up',
    file: 'lib/life/drain.ts',
    before: 'Math.max(timeLeft, SHUTDOWN_MIN_MS)',
    after: 'timeLeft',
    tests: [STOP],
  },
  {
    what: 'what the deadline cuts off is not counted',
    file: 'lib/life/drain.ts',
    before: '  const count = listener.cutOff();',
    after: '  listener.cutOff();\n  const count = 0;',
    tests: ['gracehttp/app', STOP],
  },
  {
    what: 'the exit code is 0 though requests were cut off',
    file: 'lib/life/life.ts',
    before: 'cutOff.length > 0 || failure',
    after: 'failure',
    tests: ['gracehttp/app', STOP],
  },
  {
    what: 'drainDelay also delays the drain after a hand-over',
    file: 'lib/life/drain-plan.ts',
    before: 'delay: isStop ? settings.drainDelay : 0,',
    after: 'delay: settings.drainDelay,',
    tests: ['process/health'],
  },
  {
    what: 'the last answers do not say Connection: close',
    file: 'gracehttp/http/close-after-response.ts',
    before: 'if (!this.headersSent && isLast(this)) sayClose(this, args);',
    after: '',
    tests: ['gracehttp/http/close-after-response', SERVICE],
  },
  {
    what: 'of pipelined requests the first answer closes the connection',
    file: 'gracehttp/http/http-connections.ts',
    before: ' || isFollowed(request, request.socket)',
    after: '',
    tests: ['gracehttp/http/http-connections'],
  },
  {
    what: 'connections that were promised a keep-alive time are closed at idleTimeout',
    file: 'gracehttp/http/http-service.ts',
    before: 'connections.hasSpoken(socket) ? kept : idleTimeout',
    after: 'idleTimeout',
    tests: [SERVICE],
  },
  {
    what: 'after a long computation connections are closed whose requests are unread',
    file: 'gracehttp/http/close-idle.ts',
    before: '  await nextTurn();\n  let end',
    after: '  let end',
    tests: ['gracehttp/http/close-idle'],
  },
  {
    what: 'a connection that never spoke is not closed',
    file: 'gracehttp/http/http-service.ts',
    before: '    this.#closeIdle(() => this.connections.served());',
    after: '',
    tests: [SERVICE, STOP],
  },
  {
    what: 'upgraded connections do not count as in flight',
    file: 'gracehttp/http/http-connections.ts',
    before: 'of this.notes()) if (upgraded || isAnswering(socket)) count += 1;',
    after: 'of this.notes()) if (isAnswering(socket)) count += 1;',
    tests: [SERVICE],
  },
  {
    what: 'an answer that ends in the turn of the deadline is cut off',
    file: 'lib/deadline.ts',
    before: 'this.passed.then((passed) => nextTurn().then(() => passed))',
    after: 'this.passed',
    tests: ['lib/deadline'],
  },
  {
    what: 'HTTP/2 clients get no GOAWAY',
    file: 'gracehttp/http/http-service.ts',
    before: '    this.connections.sessions?.leave(leaveTimes(this.#times));',
    after: '',
    tests: ['gracehttp/http2/http2-sessions', 'gracehttp/http2/leave'],
  },
];
