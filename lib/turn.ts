/** Fulfils after the event loop has looked for new input once. */
export function nextTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
