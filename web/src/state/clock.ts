// The server's clock as seen from here. Windows slide and latencies are taken on it, because event times are the server's.

const SAMPLES = 32;
/** Clocks nearer than this are one clock (the same machine, or one that is kept by NTP): the difference is delivery time. */
const SAME_CLOCK_US = 20_000;

export class ServerClock {
  private differences: number[] = [];
  private offset = 0;

  /** `server`: µs that the server said; `here`: µs when it was heard. */
  hear(server: number, here: number): void {
    this.differences.push(here - server);
    if (this.differences.length > SAMPLES) this.differences.shift();
    // The quickest message is the one least delayed on its way: the nearest to the true difference.
    const least = Math.min(...this.differences);
    this.offset = Math.abs(least) < SAME_CLOCK_US ? 0 : least;
  }

  forget(): void {
    this.differences = [];
  }

  now(): number {
    return Math.round((performance.timeOrigin + performance.now()) * 1_000 - this.offset);
  }
}
