export { App, type AppOptions, type ServerEntry, serve } from './serve.js';
export { type ServedServer, type Traffic } from './served.js';
export { type Overflow } from './overflow.js';
export { type ThrottleOptions } from './throttle.js';
export { type Closed, type DrainReason, type GraceEvents, type State } from '../lib/events.js';
export { GraceError, type GraceErrorCode } from '../lib/errors.js';
