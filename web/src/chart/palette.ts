// Colours of the canvases, read from the style sheet's custom properties so that a theme is written in one place.

export interface Palette {
  /** One per device, repeated when there are more. */
  series: readonly string[];
  /** Fill and ink of the states of a strip. */
  states: readonly { fill: string; ink: string }[];
  off: { fill: string; ink: string };
  on: { fill: string; ink: string };
  good: string;
  warn: string;
  bad: string;
  grid: string;
  ink: string;
  inkSoft: string;
  surface: string;
  font: string;
}

const SERIES = 8;
let cached: Palette | null = null;
/** Rises when the theme changes: everything drawn before is out of date. */
let version = 0;

export function paletteVersion(): number {
  return version;
}

export function forgetPalette(): void {
  cached = null;
  version += 1;
}

export function palette(): Palette {
  if (cached !== null) return cached;
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const numbers = Array.from({ length: SERIES }, (_, i) => i + 1);
  cached = {
    series: numbers.map((n) => read(`--series-${n}`)),
    states: numbers.map((n) => ({ fill: read(`--state-${n}`), ink: read('--state-ink') })),
    off: { fill: read('--state-off'), ink: read('--ink-soft') },
    on: { fill: read('--state-on'), ink: read('--state-ink') },
    good: read('--good'),
    warn: read('--warn'),
    bad: read('--bad'),
    grid: read('--grid'),
    ink: read('--ink'),
    inkSoft: read('--ink-soft'),
    surface: read('--surface'),
    // A whole number of pixels: uPlot multiplies it by the pixel ratio and reads digits only.
    font: `11px ${read('--font')}`,
  };
  return cached;
}

export function seriesColor(position: number): string {
  const { series } = palette();
  return series[position % series.length] as string;
}
