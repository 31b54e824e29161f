// A panel whose picture is all our own: one canvas, drawn anew.

import { Surface } from './canvas';
import { Panel } from './panel';
import type { Area } from './plot';

export abstract class CanvasPanel extends Panel {
  private surface: Surface | null = null;

  protected area(): Area {
    return { left: 0, top: 0, width: this.width, height: this.height };
  }

  protected create(): void {
    this.surface ??= new Surface(this.element, 'picture');
  }

  protected discard(): void {
    this.surface?.remove();
    this.surface = null;
  }

  protected sizeChanged(): void {
    // The surface takes the size at the next drawing.
  }

  /** A clean canvas of the panel's size, in CSS pixels. */
  protected begin(): CanvasRenderingContext2D {
    this.create();
    return (this.surface as Surface).begin(this.width, this.height);
  }

  protected showValues(): void {
    // Written by `draw`, where there are any.
  }
}

/** The panel's words in place of a picture; none when `words` is empty. */
export function putMessage(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
  element.hidden = words === '';
}
