export { begin } from './begin.js';
