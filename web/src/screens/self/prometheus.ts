// Reads the Prometheus text format, as far as figures need it: names, labels, values, help; and quantiles of histograms.

export interface Sample {
  name: string;
  labels: ReadonlyMap<string, string>;
  value: number;
}

export interface Scrape {
  /** performance.now() of the answer. */
  at: number;
  samples: readonly Sample[];
  help: ReadonlyMap<string, string>;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function labelsOf(text: string | undefined): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [, name, value] of (text ?? '').matchAll(LABEL)) {
    const plain = (value as string).replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    labels.set(name as string, plain);
  }
  return labels;
}

function numberOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

export function parseScrape(text: string, at: number): Scrape {
  const samples: Sample[] = [];
  const help = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) {
      const [, name = '', words = ''] = /^# HELP (\S+) ?(.*)$/.exec(line) ?? [];
      help.set(name, words);
    }
    if (line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (match === null) continue;
    samples.push({ name: match[1] as string, labels: labelsOf(match[2]), value: numberOf(match[3] as string) });
  }
  return { at, samples, help };
}

/** Sum over all labels; null when the server has no such figure. */
export function total(scrape: Scrape, name: string): number | null {
  let sum: number | null = null;
  for (const sample of scrape.samples) if (sample.name === name) sum = (sum ?? 0) + sample.value;
  return sum;
}

/** Growth a second between two scrapes; null when it cannot be told. */
export function rateOf(before: Scrape | null, now: Scrape, name: string): number | null {
  const last = total(now, name);
  const first = before === null ? null : total(before, name);
  if (before === null || first === null || last === null || now.at <= before.at || last < first) return null;
  return ((last - first) * 1_000) / (now.at - before.at);
}

function bucketsOf(scrape: Scrape, name: string): Map<number, number> {
  const buckets = new Map<number, number>();
  for (const sample of scrape.samples) {
    if (sample.name !== `${name}_bucket`) continue;
    const le = numberOf(sample.labels.get('le') ?? 'NaN');
    buckets.set(le, (buckets.get(le) ?? 0) + sample.value);
  }
  return buckets;
}

/** A quantile that a summary gives as such. */
function summaryQuantile(scrape: Scrape, name: string, part: number): number | null {
  const found = scrape.samples.find((s) => s.name === name && Number(s.labels.get('quantile')) === part);
  return found === undefined || Number.isNaN(found.value) ? null : found.value;
}

/** Of what was observed between two scrapes (with null: since the start); interpolated in its bucket, as Prometheus does. */
export function quantile(before: Scrape | null, now: Scrape, name: string, part: number): number | null {
  const last = bucketsOf(now, name);
  if (last.size === 0) return summaryQuantile(now, name, part);
  const first = before === null ? new Map<number, number>() : bucketsOf(before, name);
  const counts = [...last].map(([le, n]) => ({ le, n: n - (first.get(le) ?? 0) })).sort((a, b) => a.le - b.le);
  const all = counts[counts.length - 1]?.n ?? 0;
  if (all <= 0) return null;
  const rank = part * all;
  let below = 0;
  let from = 0;
  for (const { le, n } of counts) {
    if (n >= rank) {
      if (!Number.isFinite(le)) return from;
      return from + (le - from) * (n === below ? 1 : (rank - below) / (n - below));
    }
    below = n;
    from = le;
  }
  return from;
}
