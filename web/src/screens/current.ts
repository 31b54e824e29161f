// Which screen is shown: the one that the address names, once its code and its texts are here. Until then the one before stays.

import { effect, signal } from '@preact/signals';
import { screen } from '../state/app';
import { language, textsFor } from '../text/area';
import { isScreen, SCREENS, type ScreenModule, type ScreenName } from './registry';

export interface Shown {
  name: ScreenName;
  module: ScreenModule;
}

/** null until the first screen is here. */
export const shown = signal<Shown | null>(null);
/** Why the screen that the address names is not shown; null when it is, or is on its way. */
export const trouble = signal<{ kind: 'missing' | 'failed'; detail: string } | null>(null);

async function open(name: string): Promise<void> {
  if (!isScreen(name)) {
    trouble.value = { kind: 'missing', detail: name };
    return;
  }
  try {
    const module: ScreenModule = await SCREENS[name]();
    await textsFor(language.peek());
    // Another may have been asked for meanwhile.
    if (screen.peek() !== name) return;
    trouble.value = null;
    shown.value = { name, module };
  } catch (error) {
    if (screen.peek() === name) trouble.value = { kind: 'failed', detail: String(error) };
  }
}

/** Follows the address from now on. Called once. */
export function followScreen(): void {
  effect(() => void open(screen.value));
}
