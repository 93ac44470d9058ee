/** One metric: a family of samples that share a name. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Which of the two text formats of Prometheus is written. */
export type ExpositionFormat = 'text' | 'openmetrics';

export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Writes metrics in the text exposition format of Prometheus (version 0.0.4), or
 * as OpenMetrics 1.0 without its closing `# EOF`. Each line ends in a newline.
 */
export function writeMetrics(families: readonly MetricFamily[], format: ExpositionFormat = 'text'): string {
  const lines = families.flatMap(({ name, help, type, samples }) => {
    // The family of a counter goes without the suffix in OpenMetrics.
    const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
    return [
      `# HELP ${family} ${format === 'openmetrics' ? escapeLabel(help) : escapeHelp(help)}`,
      `# TYPE ${family} ${type}`,
      ...samples.map(({ labels, value }) => `${name}${writeLabels(labels)} ${writeNumber(value)}`),
    ];
  });
  return lines.map((line) => `${line}\n`).join('');
}

function writeLabels(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function writeNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
