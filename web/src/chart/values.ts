// The values in a panel's head: one text per line, written straight into the page at every frame, outside the view layer.

const MOST = 4;

export class ValueList {
  private readonly items: { box: HTMLElement; chip: HTMLElement; text: HTMLElement }[] = [];

  constructor(private readonly element: HTMLElement) {}

  set(position: number, device: string, color: string, text: string): void {
    if (position >= MOST) return;
    const item = this.items[position] ?? this.make();
    if (item.text.textContent !== text) item.text.textContent = text;
    if (item.box.title !== device) item.box.title = device;
    if (item.chip.dataset.color !== color) {
      item.chip.dataset.color = color;
      item.chip.style.backgroundColor = color;
    }
  }

  /** Says how many lines there are; a single one needs no colour chip. */
  end(count: number): void {
    this.element.classList.toggle('single', count <= 1);
    for (const [i, item] of this.items.entries()) item.box.hidden = i >= count;
  }

  text(): string {
    return this.items.flatMap(({ box, text }) => (box.hidden ? [] : [text.textContent ?? ''])).join(', ');
  }

  /** For the ear: with the devices, where there are several. */
  words(): string {
    const shown = this.items.filter(({ box }) => !box.hidden);
    return shown
      .map(({ box, text }) => (shown.length > 1 ? `${box.title} ${text.textContent}` : (text.textContent ?? '')))
      .join(', ');
  }

  private make(): { box: HTMLElement; chip: HTMLElement; text: HTMLElement } {
    const box = document.createElement('span');
    box.className = 'value';
    const chip = document.createElement('i');
    const text = document.createElement('b');
    box.append(chip, text);
    this.element.append(box);
    const item = { box, chip, text };
    this.items.push(item);
    return item;
  }
}
