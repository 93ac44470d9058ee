import { type Service } from '../lib/socket/service.js';

/** A service that does all as another one does, except for these methods. */
export function likeService(service: Service, own: Partial<Service>): Service {
  return {
    connections: service.connections,
    ...(service.unit !== undefined && { unit: service.unit }),
    ...(service.inFlight !== undefined && { inFlight: () => service.inFlight!() }),
    ...(service.adopt !== undefined && { adopt: (socket) => service.adopt!(socket) }),
    begin: (...drain) => service.begin(...drain),
    resume: () => service.resume(),
    finished: () => service.finished(),
    cutOff: () => service.cutOff(),
    ...own,
  };
}
