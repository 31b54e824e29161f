// The server's clock as seen from here. Windows slide and latencies are taken on it, because event times are the server's.

const SAMPLES = 32;
/** Clocks nearer than this are one clock (the same machine, or one that is kept by NTP): the difference is delivery time. */
const SAME_CLOCK_US = 20_000;
/** While the page loads, messages wait for it: a small difference is believed only of this many. */
const ENOUGH = 5;
const SURELY_ANOTHER_US = 2_000_000;

export class ServerClock {
  private differences: number[] = [];
  private offset = 0;

  /** `server`: µs that the server said; `here`: µs when it was heard. */
  hear(server: number, here: number): void {
    this.differences.push(here - server);
    if (this.differences.length > SAMPLES) this.differences.shift();
    // The quickest message is the one least delayed on its way: the nearest to the true difference.
    const least = Math.min(...this.differences);
    const size = Math.abs(least);
    const believed = size > SURELY_ANOTHER_US || (size > SAME_CLOCK_US && this.differences.length >= ENOUGH);
    this.offset = believed ? least : 0;
  }

  forget(): void {
    this.differences = [];
  }

  /** µs since the epoch. By the wall clock: the browser's steady clock stands still while a machine sleeps. */
  now(): number {
    return Date.now() * 1_000 - Math.round(this.offset);
  }
}
