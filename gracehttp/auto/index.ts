export { begin } from './begin.js';
export type { AutoOptions } from './options/settings.js';
