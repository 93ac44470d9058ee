export { App, type AppOptions, type ServedServer, type ServerEntry, serve } from './serve.js';
export { type Closed, type DrainReason, type GraceEvents, type State } from '../lib/events.js';
export { GraceError, type GraceErrorCode } from '../lib/errors.js';
