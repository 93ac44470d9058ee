import { report } from '../log.js';
import { type Situation, howToForce } from '../signals/meaning.js';
import { type SignalActions } from '../signals/signals.js';
import { type Parts } from './parts.js';

/** What the signals that a process gets do: the policy is in signals/meaning.ts. */
export function signalActions(life: Parts): SignalActions {
  return {
    situation: () => situationOf(life),
    drain: (signal) => {
      life.toForce = howToForce(signal, situationOf(life));
      void life.stop();
    },
    restart: () => life.restart({}),
    reportDrain: () => life.systemd?.reportDrain(),
    cutOff: (signal) => {
      report(`${signal} again: cutting off ${life.inFlight}`);
      life.sockets.forEach((listener) => listener.cutOff());
    },
    beforeExit: () => {
      life.restarts.kill();
      life.removeFiles();
    },
    passOn: (signal, self) => life.following.passOn(life.generation.carried, { signal, self }),
  };
}

function situationOf({ state, reason, systemd, superdaemon, following, probation, settings }: Parts): Situation {
  return {
    state,
    reason,
    systemd: systemd !== undefined,
    superdaemon,
    firstProcess: following.isFirst || (systemd !== undefined && probation.standby !== undefined),
    forceExit: settings.forceExit,
  };
}
