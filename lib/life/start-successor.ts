import { type Launch } from '../handoff/restarts.js';
import { Successor } from '../handoff/successor.js';
import { processState } from '../inherit/process-state.js';
import { successorEnvironment } from '../inherit/start-environment.js';
import { type Parts } from './parts.js';

/** Starts the next generation, with all that this process has to pass on. */
export function startSuccessor(
  { generation, sockets, following, systemd, settings, probation }: Parts,
  { command, env, timeout, nonce }: Launch,
): Successor {
  const { carried, number } = generation;
  return new Successor({
    nonce,
    command,
    env: successorEnvironment(...env),
    generation: number + 1,
    sockets: sockets.filter(({ listening }) => listening).map((listener) => listener.describe()),
    state: carried.collect(),
    timeout,
    follow: following.descriptor(number),
    program: processState.program?.file,
    onAsk: (key, value) => carried.asked(key, value),
    serviceManager: systemd?.environment,
    moves: settings.moveConnections,
    watches: probation.terms.time > 0,
  });
}
