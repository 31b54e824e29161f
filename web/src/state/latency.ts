// Middle of the latencies of the last seconds: event accepted → painted here.

const KEPT_MS = 5_000;
const KEPT_COUNT = 512;

export class LatencyWindow {
  private samples: { at: number; value: number }[] = [];

  add(value: number, at: number): void {
    this.samples.push({ at, value });
    if (this.samples.length > KEPT_COUNT) this.samples.splice(0, this.samples.length - KEPT_COUNT);
  }

  /** The value below which `part` of what was added in the 5 s before `now` lies; null without any. */
  quantile(now: number, part: number): number | null {
    const first = this.samples.findIndex((sample) => sample.at >= now - KEPT_MS);
    this.samples = first < 0 ? [] : this.samples.slice(first);
    if (this.samples.length === 0) return null;
    const values = this.samples.map((sample) => sample.value).sort((a, b) => a - b);
    return values[Math.min(Math.floor(values.length * part), values.length - 1)] as number;
  }

  /** Median of what was added in the 5 s before `now`; null without any. */
  median(now: number): number | null {
    return this.quantile(now, 0.5);
  }
}
