import { type Service } from '../../../lib/socket/service.js';

/** A service that tells when it has drained. */
export interface DrainedService {
  readonly service: Service;
  /** Fulfils at the end of the drain that is under way. One that is taken back has none. */
  drained(): Promise<void>;
}

export function tellingWhenDrained(service: Service): DrainedService {
  let drain = newDrain();
  return {
    drained: () => drain.ended,
    service: {
      connections: service.connections,
      ...(service.unit !== undefined && { unit: service.unit }),
      inFlight: () => service.inFlight?.() ?? 0,
      ...(service.adopt !== undefined && { adopt: (socket) => service.adopt!(socket) }),
      resume: () => {
        drain = newDrain();
        service.resume();
      },
      begin: (...options) => service.begin(...options),
      finished: async () => {
        const { end } = drain;
        await service.finished();
        end();
      },
      cutOff: () => {
        const count = service.cutOff();
        drain.end();
        return count;
      },
    },
  };
}

function newDrain(): { readonly ended: Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((done) => {
    end = done;
  });
  return { ended, end };
}
