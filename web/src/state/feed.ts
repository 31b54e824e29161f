// The live data of one dataset: the Intake that is drawn, and the one that will replace it once its back-fill is whole.

import type { Frame } from '../wire/frame';
import type { Fields, Subscribe } from '../wire/messages';
import { Intake } from './intake';
import { windowWord } from './window';

/** What a feed needs from the connection. */
export interface FeedLink {
  nextId(): number;
  send(message: Subscribe | { op: 'unsubscribe' | 'park' | 'resume'; id: number }): boolean;
  now(): number;
}

/** Kept beyond the window, as a part of it, so that a short pause or a wider drag needs no question to the server. */
const SLACK = 0.25;
const FRAMES_A_SECOND = 20;
const RENEW_AT_MOST_EVERY_US = 30_000_000;

export class Feed {
  current: Intake | null = null;
  private next: Intake | null = null;
  /** Rises with every row, dictionary or replacement: what is drawn from this feed is stale when it has changed. */
  version = 0;
  /** Rises when fields, devices or the Intake change. */
  structure = 0;
  /** A paused view looks at the rings: nothing is trimmed. */
  held = false;
  refusal: string | null = null;
  /** Between `subscribe` and `leave`. */
  private joined = false;
  private renewedAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly dataset: string,
    private readonly link: FeedLink,
  ) {}

  /** Subscribes to the window, in place of what was subscribed to. */
  subscribe(span: number, pixels: number): void {
    this.leave();
    const intake = new Intake(this.link.nextId(), span, pixels, this.link.now());
    const sent = this.link.send({
      op: 'subscribe',
      id: intake.id,
      dataset: this.dataset,
      device: '*',
      fields: ['*'],
      window: windowWord(span),
      pixels,
      rate: FRAMES_A_SECOND,
    });
    if (!sent) return;
    this.joined = true;
    this.refusal = null;
    this.renewedAt = this.link.now();
    if (this.current === null) this.replace(intake);
    else this.next = intake;
  }

  /** Ends the subscription; the samples stay and are drawn as they are. */
  leave(): void {
    for (const id of this.ids()) this.link.send({ op: 'unsubscribe', id });
    this.next = null;
    this.joined = false;
  }

  park(): void {
    for (const id of this.ids()) this.link.send({ op: 'park', id });
  }

  resume(): void {
    for (const id of this.ids()) this.link.send({ op: 'resume', id });
  }

  owns(id: number): boolean {
    return this.intake(id) !== null;
  }

  define(message: Fields): void {
    if (this.intake(message.id)?.define(message) !== true) return;
    this.version += 1;
    this.structure += 1;
  }

  refuse(id: number, detail: string): void {
    if (this.intake(id) === null) return;
    this.refusal = detail;
    this.structure += 1;
  }

  /** Takes a frame; renews the subscription when one is missing before it. */
  take(frame: Frame): void {
    const intake = this.intake(frame.id);
    if (intake === null) return;
    const shape = intake.shape;
    if (!intake.apply(frame)) {
      this.subscribe(intake.span, intake.pixels);
      return;
    }
    if (intake === this.next && intake.complete) this.replace(intake);
    if (intake.shape !== shape) this.structure += 1;
    if (intake === this.current) this.version += 1;
  }

  /** Once a second: forgets what left the window, renews what a full ring has lost of it. */
  tidy(): void {
    const intake = this.current;
    if (intake === null || !this.joined || this.held || this.next !== null) return;
    const now = this.link.now();
    if (intake.lacks(now - intake.span) && now - this.renewedAt > RENEW_AT_MOST_EVERY_US) {
      this.subscribe(intake.span, intake.pixels);
    } else {
      intake.trim(now - intake.span * (1 + SLACK));
    }
  }

  private replace(intake: Intake): void {
    this.current = intake;
    this.next = null;
    this.version += 1;
    this.structure += 1;
  }

  private intake(id: number): Intake | null {
    if (this.current?.id === id) return this.current;
    return this.next?.id === id ? this.next : null;
  }

  /** Of the subscriptions that the server knows. */
  private ids(): number[] {
    if (!this.joined) return [];
    return [this.current, this.next].flatMap((intake) => (intake === null ? [] : [intake.id]));
  }
}
