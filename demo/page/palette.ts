const COLOURS = 6;

/** The colours of the style sheet, for the canvas. */
export interface Palette {
  readonly processes: readonly string[];
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly card: string;
  readonly lost: string;
  readonly font: string;
}

/** Calls back with the colours, now and each time the scheme changes from light to dark or back. */
export function onPalette(use: (palette: Palette) => void): void {
  const read = (): void => {
    const style = getComputedStyle(document.documentElement);
    const value = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    use({
      processes: Array.from({ length: COLOURS }, (_, index) => value(`c${index}`)),
      text: value('text'),
      muted: value('muted'),
      line: value('line'),
      card: value('card'),
      lost: value('lost'),
      font: getComputedStyle(document.body).fontFamily,
    });
  };
  read();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', read);
}

/** The colour of a process, as CSS. */
export function cssColour(index: number): string {
  return `var(--c${index % COLOURS})`;
}
