/** Replaces what is between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. Throws if the page has no such place. */
export function between(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const start = page.indexOf(begin);
  const stop = page.indexOf(end, start);
  if (start === -1 || stop === -1) throw new Error(`the page has no ${begin} … ${end}`);
  return `${page.slice(0, start + begin.length)}\n${content.trim()}\n${page.slice(stop)}`;
}
