// A canvas of the device's own pixels inside a panel.

export class Surface {
  readonly canvas = document.createElement('canvas');
  readonly ctx: CanvasRenderingContext2D;

  constructor(parent: HTMLElement, name: string) {
    this.canvas.className = name;
    this.canvas.setAttribute('aria-hidden', 'true');
    parent.prepend(this.canvas);
    this.ctx = this.canvas.getContext('2d') as CanvasRenderingContext2D;
  }

  /** Clears it for a drawing of `width` × `height` CSS pixels; the context is scaled to them. */
  begin(width: number, height: number): CanvasRenderingContext2D {
    const ratio = devicePixelRatio;
    const across = Math.max(Math.round(width * ratio), 1);
    const down = Math.max(Math.round(height * ratio), 1);
    if (this.canvas.width !== across || this.canvas.height !== down) {
      this.canvas.width = across;
      this.canvas.height = down;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ctx.clearRect(0, 0, width, height);
    return this.ctx;
  }

  remove(): void {
    this.canvas.remove();
  }
}
