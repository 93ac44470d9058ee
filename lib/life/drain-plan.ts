import { type DrainReason } from '../events.js';
import { type DrainPlan } from './drain.js';
import { type Standby } from '../probation/standby.js';
import { type Parts } from './parts.js';

/**
 * How this process drains, for this reason.
 *
 * @param standby - what this process is for the successor on probation. It may have been told already that the successor has failed.
 */
export function planDrain(life: Parts, reason: DrainReason, standby?: Standby): DrainPlan {
  const { generation, settings, restarts, probation, lifetime } = life;
  const { carried, arrivals, adopters } = generation;
  const isStop = reason === 'stop';
  return {
    listeners: life.sockets,
    isHandedOver: ({ fd }) => life.handedOver.has(fd),
    onward: ({ fd }) => (carried.successor ?? generation.siblings)?.onward(fd),
    takeBack: (kind, connection, adopted) => adopters.takeBack(kind, connection, adopted),
    noneComes: arrivals.ended,
    spread: !isStop && carried.successor !== undefined ? settings.handoverTime : 0,
    spreadEnds: standby === undefined ? [] : [standby.dismissed],
    onHurry: (handler) => lifetime.onHurry(handler),
    // After a hand-over the successor serves, so load balancers need no notice.
    delay: isStop ? settings.drainDelay : 0,
    // The kernel gives connections to a successor that is being stopped, too, and would reset them when this process is
    // the first to close the socket.
    after: Promise.all([restarts.settled(), standby?.prepared, ...(isStop ? [probation.end(), generation.siblings?.find()] : [])]),
    proven: standby?.proven ?? Promise.resolve(true),
    timeout: settings.drainTimeout,
    onShutdown: settings.onShutdown,
    onBegin: () => life.leaving.abort(`this process drains: ${reason}`),
    onClosing: () => life.closing.abort('the drain deadline is near'),
  };
}
