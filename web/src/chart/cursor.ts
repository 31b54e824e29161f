// The crosshair and the drag, shared by every panel. The place is a fraction of the window, not a time: a resting pointer
// stays where it is while the window slides under it.

type Listener = () => void;

class Cursor {
  /** 0 … 1 across the window; null when no pointer is over a panel. */
  fraction: number | null = null;
  /** The panel under the pointer: it alone shows the time. */
  owner: HTMLElement | null = null;
  /** Start of the drag under way, as a fraction. */
  dragFrom: number | null = null;
  private moved = false;
  private listener: Listener = () => undefined;

  onMove(listener: Listener): void {
    this.listener = listener;
  }

  set(fraction: number | null, owner: HTMLElement | null): void {
    this.fraction = fraction;
    this.owner = owner;
    this.moved = true;
    this.listener();
  }

  /** True when the cursor moved since the last call. */
  takeMoved(): boolean {
    const moved = this.moved;
    this.moved = false;
    return moved;
  }
}

export const cursor = new Cursor();

/** A shorter drag is a click. CSS pixels. */
const SHORTEST_DRAG = 5;

/** Lines of a wheel that counts in lines, in pixels. */
const WHEEL_LINE = 24;
/** A wheel's pixels to double or halve the window. */
const WHEEL_DOUBLE = 300;

export interface PointerTarget {
  element: HTMLElement;
  /** Left edge and width of the plotting area inside the element, CSS pixels. */
  area(): { left: number; width: number };
  /** A drag ended. Fractions of the window, in order. */
  select(from: number, to: number): void;
  back(): void;
  /** A drag began: the window must stand still under it. */
  begin(): void;
  /** A drag ended without a selection. */
  cancel(): void;
  /** Moves the window by a part of its width. */
  pan(part: number): void;
  /** Makes the window `factor` times as wide around the place at this fraction of it. */
  zoom(factor: number, part: number): void;
}

/** Fingers on a panel: one moves the window, two make it wider or closer. The page itself still scrolls up and down. */
class Fingers {
  private readonly down = new Map<number, { x: number; from: number }>();

  constructor(private readonly target: PointerTarget) {}

  press(event: PointerEvent): void {
    this.down.set(event.pointerId, { x: event.clientX, from: event.clientX });
  }

  move(event: PointerEvent): void {
    const finger = this.down.get(event.pointerId);
    if (finger === undefined) return;
    const { width } = this.target.area();
    const other = [...this.down].find(([id]) => id !== event.pointerId)?.[1];
    if (other !== undefined) {
      const before = Math.max(Math.abs(finger.x - other.x), 8);
      const now = Math.max(Math.abs(event.clientX - other.x), 8);
      this.target.zoom(before / now, fractionAt(this.target, (event.clientX + other.x) / 2));
    } else if (Math.abs(event.clientX - finger.from) >= SHORTEST_DRAG) {
      this.target.pan((finger.x - event.clientX) / Math.max(width, 1));
    } else {
      return;
    }
    finger.x = event.clientX;
  }

  lift(event: PointerEvent): void {
    this.down.delete(event.pointerId);
  }
}

function fractionAt(target: PointerTarget, clientX: number): number {
  const { left, width } = target.area();
  const x = clientX - target.element.getBoundingClientRect().left - left;
  return Math.min(Math.max(x / Math.max(width, 1), 0), 1);
}

/** A pinch on a touch pad, or the wheel with Control, zooms; sideways, or with Shift, it moves. Else the page scrolls. */
function turnWheel(target: PointerTarget, event: WheelEvent): void {
  const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_LINE : 1;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    target.zoom(2 ** ((event.deltaY * unit) / WHEEL_DOUBLE), fractionAt(target, event.clientX));
    return;
  }
  const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
  if (Math.abs(sideways) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
  event.preventDefault();
  target.pan((sideways * unit) / Math.max(target.area().width, 1));
}

/** Gives a panel's plotting area the crosshair, drag to zoom, double-click to go back, wheel and fingers. Returns the undoing. */
export function attachPointer(target: PointerTarget): () => void {
  const { element } = target;
  let down: { x: number; fraction: number } | null = null;
  /** Of a drag with Shift, which moves the window: where the pointer was last. */
  let held: number | null = null;
  const fingers = new Fingers(target);

  const move = (event: PointerEvent) => {
    const fraction = fractionAt(target, event.clientX);
    if (event.pointerType === 'touch') {
      fingers.move(event);
    } else if (held !== null) {
      target.pan((held - event.clientX) / Math.max(target.area().width, 1));
      held = event.clientX;
    } else if (down !== null && cursor.dragFrom === null && Math.abs(event.clientX - down.x) >= SHORTEST_DRAG) {
      cursor.dragFrom = down.fraction;
      target.begin();
    }
    cursor.set(fraction, element);
  };
  const press = (event: PointerEvent) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    if (event.pointerType === 'touch') fingers.press(event);
    else if (event.shiftKey) held = event.clientX;
    else down = { x: event.clientX, fraction: fractionAt(target, event.clientX) };
  };
  const end = (event: PointerEvent, cancelled: boolean) => {
    fingers.lift(event);
    down = null;
    held = null;
    const from = cursor.dragFrom;
    cursor.dragFrom = null;
    const to = fractionAt(target, event.clientX);
    if (from !== null && (cancelled || from === to)) target.cancel();
    else if (from !== null) target.select(Math.min(from, to), Math.max(from, to));
    cursor.set(event.pointerType === 'mouse' ? to : null, element);
  };
  const leave = () => {
    if (cursor.dragFrom === null && cursor.owner === element) cursor.set(null, null);
  };
  const listening = new AbortController();
  const { signal } = listening;
  element.addEventListener('pointermove', move, { signal });
  element.addEventListener('pointerdown', press, { signal });
  element.addEventListener('pointerup', (event) => end(event, false), { signal });
  element.addEventListener('pointercancel', (event) => end(event, true), { signal });
  element.addEventListener('pointerleave', leave, { signal });
  element.addEventListener('dblclick', () => target.back(), { signal });
  element.addEventListener('wheel', (event) => turnWheel(target, event), { signal, passive: false });
  return () => listening.abort();
}
