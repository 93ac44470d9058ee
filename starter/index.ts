export { GraceError, type GraceErrorCode } from '../lib/errors.js';
export { type RestartOptions, type RestartProgress, restartServer } from './control/restart.js';
export type { ServerStatus, WorkerState, WorkerStatus } from './control/status-file.js';
export { type StatusOptions, serverStatus } from './control/status.js';
export { type StopOptions, stopServer } from './control/stop.js';
export type { StartOptions } from './options.js';
export { serverPorts } from './server-ports.js';
export { type StartObserver, startServer } from './start.js';
