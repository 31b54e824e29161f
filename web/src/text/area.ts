// The texts of the page in two languages. An area is a table of English texts (`en/<area>.ts`), which comes with the code that
// says them, and its French twin (`fr/<area>.ts`), which is fetched when somebody reads French. `Texts` makes a missing or a
// foreign key of the twin an error of the compiler.

import { signal } from '@preact/signals';

export type Language = 'en' | 'fr';

type Table = Readonly<Record<string, string>>;

/** What the twin of an English table must be. */
export type Texts<English> = { readonly [Key in keyof English]: string };

export type Say<Key extends string> = (key: Key, values?: Record<string, string | number>) => string;

/** What is read now; whoever reads it in a component is rendered again when it changes. Set by `speak` only. */
export const language = signal<Language>('en');

interface Area {
  english: Table;
  french: Table | null;
}

const FRENCH = import.meta.glob<{ default: Table }>('./fr/*.ts');
const areas = new Map<string, Area>();

async function fetchFrench(name: string, entry: Area): Promise<void> {
  if (entry.french !== null) return;
  const load = FRENCH[`./fr/${name}.ts`];
  // A text that could not be fetched is read in English rather than not at all.
  entry.french = (await load?.().catch(() => null))?.default ?? null;
}

/** Makes the function that says the texts of one area; `{name}` in a text is replaced by `values.name`. */
export function area<English extends Table>(name: string, english: English): Say<keyof English & string> {
  const entry: Area = { english, french: null };
  areas.set(name, entry);
  return (key, values = {}) => {
    const text = (language.value === 'fr' ? entry.french?.[key] : undefined) ?? (english[key] as string);
    return text.replace(/\{(\w+)\}/g, (_, word: string) => String(values[word] ?? ''));
  };
}

/** Resolves once every area known so far can be said in `next`; called before a newly loaded screen is shown. */
export async function textsFor(next: Language): Promise<void> {
  if (next === 'fr') await Promise.all([...areas].map(([name, entry]) => fetchFrench(name, entry)));
}

let wanted: Language = 'en';

/** Changes the language of the page, once its texts are here. */
export async function speak(next: Language): Promise<void> {
  wanted = next;
  await textsFor(next);
  // Another choice may have been made while these texts came.
  if (wanted === next) language.value = next;
}

/** The locale for numbers. */
export function locale(): string {
  return language.value === 'fr' ? 'fr-FR' : 'en-US';
}
