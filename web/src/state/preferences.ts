// What this browser remembers of its user: the theme and the language that were chosen by hand. The address outranks it.

import type { Language } from '../text/area';
import type { Theme } from './url';

interface Preferences {
  theme: Theme;
  language: Language;
}

const CHOICES: { [Key in keyof Preferences]: readonly Preferences[Key][] } = {
  theme: ['system', 'light', 'dark'],
  language: ['en', 'fr'],
};

export function remembered<Key extends keyof Preferences>(key: Key): Preferences[Key] | null {
  try {
    const text = localStorage.getItem(`iotstream.${key}`);
    return CHOICES[key].find((choice) => choice === text) ?? null;
  } catch {
    // A browser may refuse to keep anything for a page.
    return null;
  }
}

export function remember<Key extends keyof Preferences>(key: Key, value: Preferences[Key]): void {
  try {
    localStorage.setItem(`iotstream.${key}`, value);
  } catch {
    // The choice holds until the page is left.
  }
}

/** The language that the browser asks for. */
export function ownLanguage(): Language {
  return navigator.language.toLowerCase().startsWith('fr') ? 'fr' : 'en';
}
