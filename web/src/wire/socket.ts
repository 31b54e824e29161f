// The one WebSocket of the page: connects, notices silence, reconnects with back-off. It knows nothing of what the
// messages mean; `LiveClient` (state/live.ts) does.

import { decodeFrame, type Frame } from './frame';
import { type ClientMessage, parseMessage, type ServerMessage } from './messages';

/** The server speaks every second (`stats`): silence of this length is a loss, and is shown within 2 s of it. */
const SILENCE_MS = 1_850;
/** A socket that stays silent for this long is given up even though the system still thinks it open. */
const ABANDON_MS = 4_500;
const WATCH_MS = 150;
const BACKOFF_FIRST_MS = 100;
/** A restart takes a moment: at first the page asks twice a second, and is back as soon as the server is. */
const BACKOFF_SOON_MS = 500;
const SOON_ATTEMPTS = 24;
const BACKOFF_MAX_MS = 4_000;

export type LinkState = 'connecting' | 'open' | 'stale';

export interface SocketEvents {
  message(message: ServerMessage): void;
  frame(frame: Frame): void;
  /** `since`: epoch ms of the last sign of life; 0 when there never was one. */
  state(state: LinkState, since: number): void;
  /** A message that could not be read; it is counted, not fatal. */
  garbled(detail: string): void;
}

export class LiveSocket {
  private socket: WebSocket | null = null;
  private attempts = 0;
  private heardAt = 0;
  private openedAt = 0;
  private state: LinkState = 'connecting';
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly watch: ReturnType<typeof setInterval>;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly events: SocketEvents,
  ) {
    this.watch = setInterval(() => this.check(), WATCH_MS);
    this.connect();
  }

  send(message: ClientMessage): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Tries at once instead of waiting for the back-off: the network or the tab came back. */
  hurry(): void {
    if (this.socket !== null || this.closed) return;
    clearTimeout(this.retry);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.watch);
    clearTimeout(this.retry);
    this.drop();
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.openedAt = Date.now();
    socket.onopen = () => {
      this.openedAt = Date.now();
    };
    socket.onmessage = (event: MessageEvent) => {
      if (socket === this.socket) this.receive(event.data);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
  }

  private receive(data: unknown): void {
    this.heardAt = Date.now();
    this.attempts = 0;
    this.setState('open');
    if (data instanceof ArrayBuffer) {
      const frame = decodeFrame(data);
      if (frame.ok) this.events.frame(frame);
      else this.events.garbled(frame.error);
      return;
    }
    const message = typeof data === 'string' ? parseMessage(data) : null;
    if (message === null) this.events.garbled('a message that is neither control text nor a frame');
    else this.events.message(message);
  }

  private lost(): void {
    this.drop();
    if (this.closed) return;
    this.setState(this.heardAt === 0 ? 'connecting' : 'stale');
    const most = this.attempts < SOON_ATTEMPTS ? BACKOFF_SOON_MS : BACKOFF_MAX_MS;
    const wait = Math.min(most, BACKOFF_FIRST_MS * 2 ** this.attempts) * (0.8 + 0.4 * Math.random());
    this.attempts += 1;
    this.retry = setTimeout(() => this.connect(), wait);
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private check(): void {
    if (this.socket === null) return;
    const silence = Date.now() - Math.max(this.heardAt, this.openedAt);
    if (silence > SILENCE_MS && this.heardAt !== 0) this.setState('stale');
    if (silence > ABANDON_MS) this.lost();
  }

  private setState(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    this.events.state(state, this.heardAt);
  }
}
