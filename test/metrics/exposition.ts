/**
 * A strict reader of Prometheus' text format 0.0.4: it takes nothing that the format does not say, and checks what a
 * scraper relies on: one family at a time, no series twice, and histograms that add up.
 */

export type SampleLabels = Readonly<Record<string, string>>;

export interface ExposedSample {
  readonly name: string;
  readonly labels: SampleLabels;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ExposedSample[];
}

interface OpenFamily extends Family {
  readonly samples: ExposedSample[];
}

const nameOf = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const helpLine = new RegExp(`^# HELP (${nameOf}) (.+)$`);
const typeLine = new RegExp(`^# TYPE (${nameOf}) (counter|gauge|histogram|summary|untyped)$`);
const sampleLine = new RegExp(`^(${nameOf})(?:\\{(.*)\\})? (\\S+)$`);
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const suffixes: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

function labelsOf(text: string): SampleLabels {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const [whole, name, value] = label.exec(rest) ?? [];
    if (whole === undefined || name === undefined) throw new Error(`Not labels: ${rest}`);
    if (name in labels) throw new Error(`Label ${name} comes twice: ${text}`);
    labels[name] = value ?? '';
    rest = rest.slice(whole.length);
  }
  return labels;
}

function numberIn(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === 'Nan' || text === 'NaN') return Number.NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new Error(`Not a value: ${text}`);
  return Number(text);
}

function withoutBound({ le: _, ...labels }: SampleLabels): string {
  return JSON.stringify(Object.entries(labels).sort());
}

function checkHistogram({ name, samples }: Family): void {
  const series = new Map<string, ExposedSample[]>();
  for (const sample of samples) {
    const key = withoutBound(sample.labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, rows] of series) {
    const buckets = rows.filter((row) => row.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => numberIn(labels.le ?? ''));
    const counts = buckets.map(({ value }) => value);
    const rises = (values: readonly number[], by: (a: number, b: number) => boolean): boolean =>
      values.every((value, index) => index === 0 || by(values[index - 1]!, value));
    const count = rows.find((row) => row.name === `${name}_count`)?.value;
    const isWhole =
      rises(bounds, (a, b) => a < b) &&
      rises(counts, (a, b) => a <= b) &&
      bounds.at(-1) === Number.POSITIVE_INFINITY &&
      counts.at(-1) === count &&
      rows.filter((row) => row.name === `${name}_sum`).length === 1;
    if (!isWhole) throw new Error(`The histogram ${name} does not add up for ${key}`);
  }
}

function checkFamily(family: Family): void {
  const names = (suffixes[family.type] ?? ['']).map((suffix) => family.name + suffix);
  const seen = new Set<string>();
  for (const { name, labels } of family.samples) {
    if (!names.includes(name)) throw new Error(`${name} is not of the ${family.type} ${family.name}`);
    const series = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(series)) throw new Error(`A series comes twice: ${series}`);
    seen.add(series);
  }
  if (family.type === 'histogram') checkHistogram(family);
}

/** The families by name. Throws at the first thing that the format does not allow. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end.');
  const families = new Map<string, OpenFamily>();
  let help: { readonly name: string; readonly text: string } | undefined;
  let open: OpenFamily | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, helped, words] = helpLine.exec(line) ?? [];
    const [, typed, type] = typeLine.exec(line) ?? [];
    const [, name, labels, value] = sampleLine.exec(line) ?? [];
    if (helped !== undefined) {
      help = { name: helped, text: words ?? '' };
    } else if (typed !== undefined) {
      if (families.has(typed)) throw new Error(`${typed} comes twice`);
      if (help?.name !== typed) throw new Error(`${typed} has no help`);
      open = { name: typed, type: type ?? '', help: help.text, samples: [] };
      families.set(typed, open);
    } else if (name !== undefined) {
      if (open === undefined || !name.startsWith(open.name)) throw new Error(`${name} is outside of its family`);
      open.samples.push({ name, labels: labelsOf(labels ?? ''), value: numberIn(value ?? '') });
    } else throw new Error(`Not a line of the format: ${line}`);
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

/** The sum of a series over all labels that are not given. */
export function total(families: ReadonlyMap<string, Family>, series: string, labels: SampleLabels = {}): number {
  const family = families.get(series) ?? families.get(series.replace(/_(bucket|sum|count)$/, ''));
  if (family === undefined) throw new Error(`There is no ${series}`);
  return family.samples
    .filter((sample) => sample.name === series)
    .filter((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value))
    .reduce((sum, sample) => sum + sample.value, 0);
}
