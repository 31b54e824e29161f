// The screens there are, in the order of the navigation: Live (the home), Explore, Files, Build, Devices, Streams, Self. Each is
// loaded when it is first opened. Its name is its address (`#/name`), its folder, and its title (`screen.<name>` of the
// shell's texts).

import type { ComponentType } from 'preact';

export interface ScreenModule {
  default: ComponentType;
  /** What the screen puts into the head of the page, beside the status. */
  Bar?: ComponentType;
  /** The screen looks at the page's time window: the head has its picker, and its keys work. */
  usesWindow?: boolean;
}

export const SCREENS = {
  live: () => import('./live'),
  build: () => import('./build'),
  explore: () => import('./explore'),
  files: () => import('./files'),
  devices: () => import('./devices'),
  streams: () => import('./streams'),
  self: () => import('./self'),
} satisfies Record<string, () => Promise<ScreenModule>>;

export type ScreenName = keyof typeof SCREENS;

export function isScreen(name: string): name is ScreenName {
  return Object.hasOwn(SCREENS, name);
}
