/** Parts of SVG pictures that are readable in light and dark: colours are classes, with other values in the dark. */

const STYLE = `
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .mark { stroke: #59636e; stroke-width: 1; stroke-dasharray: 3 3 }
  .band { fill: #f6f8fa }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
  text.title { font-size: 16px; font-weight: 600 }
  text.small { font-size: 11px; fill: #59636e }
  text.strong { font-weight: 600 }
  .blue { fill: #3b7ddd; stroke: #3b7ddd }
  .green { fill: #1a9c6c; stroke: #1a9c6c }
  .red { fill: #d93a42; stroke: #d93a42 }
  .pink { fill: #eea4a8; stroke: #eea4a8 }
  .orange { fill: #c2701a; stroke: #c2701a }
  .grey { fill: #8b949e; stroke: #8b949e }
  rect.blue, rect.green, rect.red, rect.pink, rect.orange, rect.grey { stroke: none }
  path.blue, path.green, path.red, path.orange, path.grey { fill: none; stroke-width: 2; stroke-linejoin: round }
  path.bars { stroke: none }
  path.blue.bars { fill: #3b7ddd }
  path.green.bars { fill: #1a9c6c }
  path.red.bars { fill: #d93a42 }
  circle.hollow { fill: #ffffff; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d }
    .grid { stroke: #2a313c }
    .mark { stroke: #9198a1 }
    .band { fill: #151b23 }
    text { fill: #f0f6fc }
    text.small { fill: #9198a1 }
    .blue { fill: #5f9df7; stroke: #5f9df7 }
    .green { fill: #34c38f; stroke: #34c38f }
    .red { fill: #ff6369; stroke: #ff6369 }
    .pink { fill: #8a3f45; stroke: #8a3f45 }
    .orange { fill: #e8a04c; stroke: #e8a04c }
    .grey { fill: #8b949e; stroke: #8b949e }
    path.blue.bars { fill: #5f9df7 }
    path.green.bars { fill: #34c38f }
    path.red.bars { fill: #ff6369 }
    circle.hollow { fill: #0d1117 }
  }
`;

export type Anchor = 'start' | 'middle' | 'end';

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  const shown = (value: string | number): string => (typeof value === 'number' ? String(Number(value.toFixed(1))) : value);
  return Object.entries(values)
    .map(([name, value]) => `${name}="${shown(value)}"`)
    .join(' ');
}

export function text(x: number, y: number, content: string, kind = '', anchor: Anchor = 'start'): string {
  return `<text ${attributes({ x, y, 'text-anchor': anchor, ...(kind === '' ? {} : { class: kind }) })}>${escaped(content)}</text>`;
}

export function rect(x: number, y: number, width: number, height: number, kind: string): string {
  return `<rect ${attributes({ x, y, width, height, class: kind })}/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line ${attributes({ x1, y1, x2, y2, class: kind })}/>`;
}

export function circle(cx: number, cy: number, r: number, kind: string): string {
  return `<circle ${attributes({ cx, cy, r, class: kind })}/>`;
}

/** A line through some points. */
export function path(points: readonly (readonly [number, number])[], kind: string): string {
  const d = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join(' ');
  return `<path d="${d}" class="${kind}"/>`;
}

/** Many bars of one colour. */
export function bars(
  found: readonly { readonly x: number; readonly y: number; readonly width: number; readonly height: number }[],
  kind: string,
): string {
  const shown = found.filter(({ height }) => height > 0);
  const d = shown.map(
    ({ x, y, width, height }) => `M${x.toFixed(1)} ${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h-${width.toFixed(1)}z`,
  );
  return d.length === 0 ? '' : `<path d="${d.join('')}" class="${kind} bars"/>`;
}

export const WIDTH = 868;
/** Space between the edge and what is shown. */
export const MARGIN = 24;

/** A whole picture; `description` is for those who cannot see it. */
export function picture(height: number, title: string, subtitle: string, parts: readonly string[], description = subtitle): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escaped(title)}</title>
<desc>${escaped(description)}</desc>
<style>${STYLE}</style>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" class="card"/>
${text(MARGIN, 34, title, 'title')}
${text(MARGIN, 53, subtitle, 'small')}
${parts.join('\n')}
</svg>
`;
}

/** The meaning of colours, in a row from the left. */
export function legend(x: number, y: number, entries: readonly (readonly [kind: string, label: string])[]): string {
  const CHARACTER = 6.2;
  let left = x;
  return entries
    .map(([kind, label]) => {
      const entry = /^(hollow|dot) /.test(kind) ? circle(left + 5, y - 4, 4, kind) : rect(left, y - 9, 10, 10, kind);
      const part = entry + text(left + 16, y, label, 'small');
      left += 16 + label.length * CHARACTER + 18;
      return part;
    })
    .join('\n');
}
