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
}

/** Gives a panel's plotting area the crosshair, drag to zoom and double-click to go back. Returns the undoing. */
export function attachPointer(target: PointerTarget): () => void {
  const { element } = target;
  let down: { x: number; fraction: number } | null = null;

  const fractionOf = (event: PointerEvent): number => {
    const { left, width } = target.area();
    const x = event.clientX - element.getBoundingClientRect().left - left;
    return Math.min(Math.max(x / Math.max(width, 1), 0), 1);
  };
  const move = (event: PointerEvent) => {
    const fraction = fractionOf(event);
    if (down !== null && cursor.dragFrom === null && Math.abs(event.clientX - down.x) >= SHORTEST_DRAG) {
      cursor.dragFrom = down.fraction;
      target.begin();
    }
    cursor.set(fraction, element);
  };
  const press = (event: PointerEvent) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    down = { x: event.clientX, fraction: fractionOf(event) };
  };
  const end = (event: PointerEvent, cancelled: boolean) => {
    down = null;
    const from = cursor.dragFrom;
    cursor.dragFrom = null;
    const to = fractionOf(event);
    if (from !== null && (cancelled || from === to)) target.cancel();
    else if (from !== null) target.select(Math.min(from, to), Math.max(from, to));
    cursor.set(event.pointerType === 'mouse' ? to : null, element);
  };
  const up = (event: PointerEvent) => end(event, false);
  const lost = (event: PointerEvent) => end(event, true);
  const leave = () => {
    if (cursor.dragFrom === null && cursor.owner === element) cursor.set(null, null);
  };
  const back = () => target.back();

  element.addEventListener('pointermove', move);
  element.addEventListener('pointerdown', press);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', lost);
  element.addEventListener('pointerleave', leave);
  element.addEventListener('dblclick', back);
  return () => {
    element.removeEventListener('pointermove', move);
    element.removeEventListener('pointerdown', press);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', lost);
    element.removeEventListener('pointerleave', leave);
    element.removeEventListener('dblclick', back);
  };
}
