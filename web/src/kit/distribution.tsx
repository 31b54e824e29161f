// A field's values as a small histogram, drawn once and again when the theme changes.

import { useEffect, useRef } from 'preact/hooks';
import { Surface } from '../chart/canvas';
import { palette } from '../chart/palette';
import { theme } from '../state/app';
import { formatMeasure } from './format';

export interface ValueHistogram {
  from: number;
  to: number;
  counts: number[];
}

export function drawDistribution(
  ctx: CanvasRenderingContext2D,
  counts: readonly number[],
  width: number,
  height: number,
): void {
  const most = Math.max(...counts, 1);
  const across = width / Math.max(counts.length, 1);
  ctx.fillStyle = palette().series[0] as string;
  ctx.globalAlpha = 0.8;
  counts.forEach((count, i) => {
    if (count === 0) return;
    const tall = Math.max((count / most) * (height - 2), 1);
    ctx.fillRect(i * across, height - tall, Math.max(across - 1, 1), tall);
  });
  ctx.globalAlpha = 1;
  ctx.fillStyle = palette().grid;
  ctx.fillRect(0, height - 1, width, 1);
}

/** `label` is what a screen reader hears. */
export function Distribution({ histogram, label }: { histogram: ValueHistogram; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const colors = theme.value;
  useEffect(() => {
    const parent = box.current;
    if (parent === null || colors === undefined) return;
    const surface = new Surface(parent, 'distribution-canvas');
    const draw = () => {
      const { clientWidth: width, clientHeight: height } = parent;
      if (width > 0) drawDistribution(surface.begin(width, height), histogram.counts, width, height);
    };
    const observer = new ResizeObserver(draw);
    observer.observe(parent);
    return () => {
      observer.disconnect();
      surface.remove();
    };
  }, [histogram, colors]);
  return (
    <figure class="distribution" aria-label={label}>
      <div class="distribution-box" ref={box} />
      <figcaption>
        <span>{formatMeasure(histogram.from)}</span>
        <span>{formatMeasure(histogram.to)}</span>
      </figcaption>
    </figure>
  );
}
