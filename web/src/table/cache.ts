// Pages of rows, as many as are worth keeping. Only pages that the last drawing looked for are asked for: whoever drags a scroll
// bar through a million rows asks for those he stops at.

export interface PageRequest {
  key: string;
  /** A page that is here under another version is shown, and asked for again. */
  version: number;
}

const IN_FLIGHT = 3;
/** A page that could not be read is asked for again after this. */
const RETRY_MS = 2_000;

export class PageCache<Row, Page extends PageRequest> {
  private readonly pages = new Map<string, { rows: (Row | null)[]; version: number }>();
  private readonly loading = new Map<string, AbortController>();
  private readonly failed = new Map<string, number>();
  private wanted = new Map<string, Page>();

  /** `load` answers null when it could not; `arrived` is called after each page. `most`: pages that are kept. */
  constructor(
    private readonly most: number,
    private readonly load: (page: Page, signal: AbortSignal) => Promise<(Row | null)[] | null>,
    private readonly arrived: () => void,
  ) {}

  /** The rows of a page if they are here; else they are asked for at the next `flush`. */
  get(page: Page): (Row | null)[] | null {
    const held = this.pages.get(page.key);
    if (held === undefined || held.version !== page.version) this.wanted.set(page.key, page);
    if (held === undefined) return null;
    // Used last: kept longest.
    this.pages.delete(page.key);
    this.pages.set(page.key, held);
    return held.rows;
  }

  /** The page is here in this version. */
  holds(page: PageRequest): boolean {
    return this.pages.get(page.key)?.version === page.version;
  }

  put(page: PageRequest, rows: (Row | null)[]): void {
    this.pages.set(page.key, { rows, version: page.version });
    for (const oldest of this.pages.keys()) {
      if (this.pages.size <= this.most) break;
      this.pages.delete(oldest);
    }
  }

  clear(): void {
    for (const abort of this.loading.values()) abort.abort();
    this.loading.clear();
    this.pages.clear();
    this.failed.clear();
    this.wanted.clear();
  }

  /** After a drawing: asks for what it missed, gives up what it no longer needs. */
  flush(): void {
    for (const [key, abort] of this.loading) {
      if (this.wanted.has(key)) continue;
      abort.abort();
      this.loading.delete(key);
    }
    const now = performance.now();
    for (const [key, page] of this.wanted) {
      if (this.loading.size >= IN_FLIGHT) break;
      if (this.loading.has(key) || (this.failed.get(key) ?? 0) > now) continue;
      void this.fetch(page);
    }
    this.wanted = new Map();
  }

  private async fetch(page: Page): Promise<void> {
    const abort = new AbortController();
    this.loading.set(page.key, abort);
    const rows = await this.load(page, abort.signal);
    if (abort.signal.aborted) return;
    this.loading.delete(page.key);
    if (rows === null) {
      this.failed.set(page.key, performance.now() + RETRY_MS);
      setTimeout(() => this.arrived(), RETRY_MS + 20);
      return;
    }
    this.put(page, rows);
    this.arrived();
  }
}
