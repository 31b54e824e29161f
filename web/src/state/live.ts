// The live side of the page: one socket, a feed per dataset, acknowledgements after paint, parking of a hidden tab.

import type { Frame } from '../wire/frame';
import type { Hello, ServerMessage, Stats } from '../wire/messages';
import { type LinkState, LiveSocket } from '../wire/socket';
import { ServerClock } from './clock';
import { Feed } from './feed';
import { LatencyWindow } from './latency';

export interface LiveEvents {
  link(state: LinkState, since: number): void;
  hello(hello: Hello, restarted: boolean): void;
  changed(): void;
  stats(stats: Stats): void;
  /** New rows or a new structure: something may have to be painted. */
  data(): void;
}

export class LiveClient {
  readonly clock = new ServerClock();
  readonly latency = new LatencyWindow();
  readonly feeds = new Map<string, Feed>();
  /** Messages that could not be read, since the page was loaded. */
  garbled = 0;
  private readonly socket: LiveSocket;
  private readonly wanted = new Map<string, { span: number; pixels: number }>();
  private readonly unacknowledged = new Map<number, number>();
  private started = 0;
  private id = 0;

  constructor(
    url: string,
    private readonly events: LiveEvents,
  ) {
    this.socket = new LiveSocket(url, {
      message: (message) => this.message(message),
      frame: (frame) => this.frame(frame),
      state: (state, since) => events.link(state, since),
      garbled: () => {
        this.garbled += 1;
      },
    });
  }

  feed(dataset: string): Feed {
    let feed = this.feeds.get(dataset);
    if (feed === undefined) {
      feed = new Feed(dataset, {
        nextId: () => ++this.id,
        send: (message) => this.socket.send(message),
        now: () => this.clock.now(),
      });
      this.feeds.set(dataset, feed);
    }
    return feed;
  }

  /** Wants the last `span` µs of a dataset, and what follows, drawn `pixels` wide. Survives reconnections. */
  want(dataset: string, span: number, pixels: number): void {
    const before = this.wanted.get(dataset);
    if (before?.span === span && before.pixels === pixels) return;
    this.wanted.set(dataset, { span, pixels });
    this.feed(dataset).subscribe(span, pixels);
  }

  /** Nothing shows the dataset any more: no more frames of it. What its rings hold stays, for a quick return. */
  release(dataset: string): void {
    if (this.wanted.delete(dataset)) this.feeds.get(dataset)?.leave();
  }

  /** The datasets that are gone are no longer wanted. */
  keepOnly(datasets: Set<string>): void {
    for (const [name, feed] of this.feeds) {
      if (datasets.has(name)) continue;
      feed.leave();
      this.feeds.delete(name);
      this.wanted.delete(name);
    }
  }

  hold(held: boolean): void {
    for (const feed of this.feeds.values()) feed.held = held;
  }

  /** To be called when what the frames held is on the screen. */
  painted(): void {
    const now = this.clock.now();
    for (const [id, seq] of this.unacknowledged) this.socket.send({ op: 'ack', id, seq });
    this.unacknowledged.clear();
    for (const feed of this.feeds.values()) {
      const intake = feed.current;
      if (intake === null || !Number.isFinite(intake.newestLive)) continue;
      this.latency.add((now - intake.newestLive) / 1_000, performance.now());
      intake.newestLive = Number.NaN;
    }
  }

  setHidden(hidden: boolean): void {
    if (hidden) {
      for (const feed of this.feeds.values()) feed.park();
      // Nothing is painted while hidden: what has arrived is acknowledged, so that the resumption is not held up by it.
      this.painted();
    } else {
      this.socket.hurry();
      for (const feed of this.feeds.values()) feed.resume();
    }
  }

  hurry(): void {
    this.socket.hurry();
  }

  private message(message: ServerMessage): void {
    const here = Date.now() * 1_000;
    switch (message.op) {
      case 'hello':
        this.clock.forget();
        this.clock.hear(message.time, here);
        this.hello(message);
        break;
      case 'fields':
        for (const feed of this.feeds.values()) feed.define(message);
        this.events.data();
        break;
      case 'changed':
        this.events.changed();
        break;
      case 'stats':
        this.clock.hear(message.time, here);
        for (const feed of this.feeds.values()) feed.tidy();
        this.events.stats(message);
        break;
      case 'error':
        for (const feed of this.feeds.values()) feed.refuse(message.id ?? 0, message.detail);
        this.events.data();
        break;
    }
  }

  private hello(hello: Hello): void {
    const restarted = this.started !== 0 && hello.started !== this.started;
    this.started = hello.started;
    this.unacknowledged.clear();
    // The old subscriptions died with the old connection; each feed is back-filled and replaced as a whole.
    for (const [dataset, { span, pixels }] of this.wanted) this.feed(dataset).subscribe(span, pixels);
    this.events.hello(hello, restarted);
  }

  private frame(frame: Frame): void {
    for (const feed of this.feeds.values()) {
      if (!feed.owns(frame.id)) continue;
      feed.take(frame);
      this.unacknowledged.set(frame.id, frame.seq);
    }
    this.events.data();
  }
}
