/** A link of a page. */
export interface Link {
  readonly text: string;
  readonly target: string;
}

/** All links of a page: the text and the target. Code has none. */
export function linksOf(markdown: string): Link[] {
  const prose = markdown.replace(/^```.*\n[^]*?^```$/gm, '');
  const links = [...prose.matchAll(/\[((?:`[^`]*`|[^\]`])*)\]\(([^)\s]+)\)/g)].map(([, text = '', target = '']) => ({ text, target }));
  return [...links, ...[...prose.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, target = '']) => ({ text: '', target }))];
}
