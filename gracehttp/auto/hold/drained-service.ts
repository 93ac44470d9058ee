import { type Service } from '../../../lib/socket/service.js';
import { likeService } from '../../like-service.js';

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
    service: likeService(service, {
      resume: () => {
        drain = newDrain();
        service.resume();
      },
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
    }),
  };
}

function newDrain(): { readonly ended: Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((done) => {
    end = done;
  });
  return { ended, end };
}
