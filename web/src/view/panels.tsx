// The boxes that panels are drawn in. A component here renders once; what moves in it is written by its painter.

import { useEffect, useRef } from 'preact/hooks';
import { LinePanel } from '../chart/line-panel';
import { StripPanel } from '../chart/strip-panel';
import { Tile } from '../chart/tile';
import { TrackPanel } from '../chart/track-panel';
import { ValueList } from '../chart/values';
import { say } from '../text/charts';
import type { SchemaField } from '../wire/rest';
import { type Readable, TableButton } from './chart-table';

interface FieldProps {
  dataset: string;
  field: SchemaField;
}

/** `Oil_Temperature` reads as `Oil Temperature`; what has spaces already is left alone. */
export function titleOf(field: SchemaField): string {
  const label = field.label || field.name;
  return label.includes(' ') ? label : label.replaceAll('_', ' ').trim() || label;
}

/** Of a chart whose crosshair follows the arrow keys: a screen reader leaves them to it. */
export function keyed(title: string) {
  return { tabIndex: 0, role: 'application', 'aria-roledescription': say('panel.role'), 'aria-label': title } as const;
}

function Unit({ unit }: { unit: string }) {
  return unit === '' ? null : <small class="unit">{unit}</small>;
}

export function usePanel(
  make: (parts: { box: HTMLElement; values: HTMLElement; message: HTMLElement }) => Readable & { destroy(): void },
  key: string,
) {
  const box = useRef<HTMLDivElement>(null);
  const values = useRef<HTMLSpanElement>(null);
  const message = useRef<HTMLParagraphElement>(null);
  const panel = useRef<Readable | null>(null);
  useEffect(() => {
    if (box.current === null || values.current === null || message.current === null) return undefined;
    const made = make({ box: box.current, values: values.current, message: message.current });
    panel.current = made;
    return () => {
      panel.current = null;
      made.destroy();
    };
  }, [key]);
  return { box, values, message, panel };
}

export function LineFigure({ dataset, field }: FieldProps) {
  const title = titleOf(field);
  const { box, values, message, panel } = usePanel(
    (p) =>
      new LinePanel(p.box, dataset, [field.name], `${title} ${field.unit}`.trim(), new ValueList(p.values), p.message),
    `${dataset}/${field.name}`,
  );
  return (
    <figure class="panel" data-field={field.name} data-testid="line-panel">
      <figcaption>
        <span class="title" title={field.name}>
          {title}
        </span>
        <span class="values" ref={values} />
        <Unit unit={field.unit} />
        <TableButton title={title} panel={panel} />
      </figcaption>
      <div class="plot" ref={box} {...keyed(title)} />
      <p class="message" ref={message} hidden />
    </figure>
  );
}

export function StripFigure({ dataset, field }: FieldProps) {
  const title = titleOf(field);
  const boolean = field.type === 'boolean';
  const { box, values, message, panel } = usePanel(
    (p) => new StripPanel(p.box, dataset, field.name, title, boolean, new ValueList(p.values), p.message),
    `${dataset}/${field.name}`,
  );
  return (
    <figure class="panel state" data-field={field.name} data-testid="state-panel">
      <figcaption>
        <span class="title" title={field.name}>
          {title}
        </span>
        <span class="values" ref={values} />
        <TableButton title={title} panel={panel} />
      </figcaption>
      <div class="lanes" ref={box} {...keyed(title)} />
      <p class="message" ref={message} hidden />
    </figure>
  );
}

export function TrackFigure({
  dataset,
  latitude,
  longitude,
}: {
  dataset: string;
  latitude: string;
  longitude: string;
}) {
  const { box, values, message, panel } = usePanel(
    (p) => new TrackPanel(p.box, dataset, latitude, longitude, p.values, p.message),
    `${dataset}/${latitude}/${longitude}`,
  );
  return (
    <figure class="panel map" data-testid="track-panel">
      <figcaption>
        <span class="title">{say('panel.track')}</span>
        <span class="values plain" ref={values} />
        <TableButton title={say('panel.track')} panel={panel} />
      </figcaption>
      <div class="ground" ref={box} tabIndex={0} role="img" aria-label={say('panel.track')} />
      <p class="message" ref={message} hidden />
    </figure>
  );
}

export function StatTile({ dataset, field }: FieldProps) {
  const title = titleOf(field);
  const box = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLElement>(null);
  useEffect(() => {
    if (box.current === null || value.current === null) return undefined;
    const tile = new Tile(box.current, dataset, field.name, value.current);
    return () => tile.destroy();
  }, [dataset, field.name]);
  return (
    <div class="tile" data-testid="tile">
      <span class="title" title={field.name}>
        {title}
      </span>
      <span class="reading">
        <b ref={value}>–</b>
        <Unit unit={field.unit} />
      </span>
      <div class="spark-box" ref={box} aria-hidden="true" />
    </div>
  );
}
