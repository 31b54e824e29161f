// The box of each kind of panel. A component here renders when its panel is edited; what moves in it is written by its painter.

import type { ComponentChildren } from 'preact';
import { GaugePanel } from '../../chart/gauge-panel';
import { HeatmapPanel } from '../../chart/heatmap-panel';
import { HistogramPanel } from '../../chart/histogram-panel';
import { LinePanel } from '../../chart/line-panel';
import type { Shape } from '../../chart/lines';
import { ScatterPanel } from '../../chart/scatter-panel';
import { StripPanel } from '../../chart/strip-panel';
import { TablePanel } from '../../chart/table-panel';
import { Tile } from '../../chart/tile';
import { TrackPanel } from '../../chart/track-panel';
import { ValueList } from '../../chart/values';
import { schemas } from '../../state/app';
import { type Readable, TableButton } from '../../view/chart-table';
import { keyed, titleOf, usePanel } from '../../view/panels';
import type { SchemaField } from '../../wire/rest';
import { type PanelSpec, TRAITS } from './board';
import { say } from './text';

/** Fields of the panel as the schema knows them; those that it does not know are as they are named. */
export function fieldsOf(panel: PanelSpec): SchemaField[] {
  const known = schemas.value.get(panel.dataset)?.fields ?? [];
  return panel.fields.map(
    (name) =>
      known.find((field) => field.name === name) ?? {
        ...{ name, label: '', type: 'float', unit: '', kind: 'measure', group: '', first_seen: null, count: 0 },
      },
  );
}

/** What stands above the panel: its own title, else those of its fields. */
export function nameOf(panel: PanelSpec): string {
  if (panel.title !== '') return panel.title;
  const names = fieldsOf(panel).map(titleOf);
  if (names.length === 0) return say(`kind.${panel.kind}`);
  return panel.kind === 'scatter' ? names.toReversed().join(' / ') : names.join(', ');
}

function unitOf(panel: PanelSpec): string {
  const units = new Set(fieldsOf(panel).map((field) => field.unit));
  return units.size === 1 ? ([...units][0] as string) : '';
}

type Parts = { box: HTMLElement; values: HTMLElement; message: HTMLElement };

function positionOf(dataset: string): [string, string] | null {
  const fields = schemas.value.get(dataset)?.fields ?? [];
  const latitude = fields.find((field) => field.kind === 'latitude');
  const longitude = fields.find((field) => field.kind === 'longitude');
  return latitude === undefined || longitude === undefined ? null : [latitude.name, longitude.name];
}

function makePanel(panel: PanelSpec, title: string, unit: string, p: Parts): Readable & { destroy(): void } {
  const { dataset, fields, thresholds, kind, ends } = panel;
  const [first = '', second = ''] = fields;
  const full = `${title} ${unit}`.trim();
  switch (kind) {
    case 'histogram':
      return new HistogramPanel(p.box, dataset, first, title, thresholds, p.message);
    case 'heatmap':
      return new HeatmapPanel(p.box, dataset, first, title, p.message);
    case 'scatter':
      return new ScatterPanel(p.box, dataset, [first, second], title, p.values, p.message);
    case 'gauge':
      return new GaugePanel(p.box, dataset, first, title, unit, ends, thresholds);
    case 'stat':
      return new Tile(p.box, dataset, first, p.values, thresholds);
    case 'map': {
      const [latitude, longitude] = positionOf(dataset) ?? ['', ''];
      return new TrackPanel(p.box, dataset, latitude, longitude, p.values, p.message);
    }
    case 'state': {
      const boolean =
        schemas
          .peek()
          .get(dataset)
          ?.fields.find((field) => field.name === first)?.type === 'boolean';
      return new StripPanel(p.box, dataset, first, title, boolean, new ValueList(p.values), p.message);
    }
    default: {
      const look = { shape: kind as Shape, thresholds };
      return new LinePanel(p.box, dataset, fields, full, new ValueList(p.values), p.message, look);
    }
  }
}

/** Kinds over time, whose crosshair follows the keys. */
const KEYED = new Set<PanelSpec['kind']>(['line', 'area', 'bar', 'heatmap', 'state']);
const picture = (title: string) => ({ tabIndex: 0, role: 'img', 'aria-label': title }) as const;

const BOX: Partial<Record<PanelSpec['kind'], string>> = { map: 'ground', state: 'lanes' };

function Drawn({ panel, caption }: { panel: PanelSpec; caption: ComponentChildren }) {
  const title = nameOf(panel);
  const unit = unitOf(panel);
  const { kind, dataset, fields, thresholds, ends } = panel;
  const key = JSON.stringify([kind, dataset, fields, thresholds, ends, title, unit, positionOf(dataset)]);
  const drawn = usePanel((p) => makePanel(panel, title, unit, p), key);
  const { box, values, message } = drawn;
  const stat = kind === 'stat';
  return (
    <>
      <figcaption>
        {caption}
        <span class="title" title={fields.join(', ')}>
          {title}
        </span>
        {!stat && <span class={kind === 'map' || kind === 'scatter' ? 'values plain' : 'values'} ref={values} />}
        {!stat && kind !== 'gauge' && unit !== '' && <small class="unit">{unit}</small>}
        {!stat && <TableButton title={title} panel={drawn.panel} />}
      </figcaption>
      {stat && (
        <span class="reading">
          <b ref={values}>–</b>
          {unit !== '' && <small class="unit">{unit}</small>}
        </span>
      )}
      {stat ? (
        <div class="spark-box" ref={box} aria-hidden="true" key={key} />
      ) : (
        <div class={BOX[kind] ?? 'plot'} ref={box} {...(KEYED.has(kind) ? keyed(title) : picture(title))} key={key} />
      )}
      <p class="message" ref={message} hidden />
    </>
  );
}

function Table({ panel, caption }: { panel: PanelSpec; caption: ComponentChildren }) {
  const key = JSON.stringify([panel.dataset, panel.fields]);
  const { box, values, message } = usePanel((p) => {
    const body = p.box.querySelector('tbody') as HTMLTableSectionElement;
    body.replaceChildren();
    return new TablePanel(p.box, panel.dataset, panel.fields, body);
  }, key);
  return (
    <>
      <figcaption>
        {caption}
        <span class="title">{nameOf(panel)}</span>
        <span class="values" ref={values} />
      </figcaption>
      <div class="rows" ref={box} tabIndex={0} role="region" aria-label={nameOf(panel)}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say('table.time')}</th>
              <th scope="col">{say('table.device')}</th>
              {fieldsOf(panel).map((field) => (
                <th scope="col" key={field.name} title={field.name}>
                  {titleOf(field)}
                  {field.unit !== '' && <small> {field.unit}</small>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody />
        </table>
      </div>
      <p class="message" ref={message} hidden />
    </>
  );
}

/** Why nothing can be drawn; null when it can. */
function lackOf(panel: PanelSpec): string | null {
  if (panel.kind === 'text') return null;
  if (!schemas.value.has(panel.dataset)) return say('panel.noDataset', { dataset: panel.dataset });
  if (panel.kind === 'map') return positionOf(panel.dataset) === null ? say('panel.noPosition') : null;
  return panel.fields.length < TRAITS[panel.kind].least ? say('panel.noField') : null;
}

export function PanelFigure({ panel, caption }: { panel: PanelSpec; caption: ComponentChildren }) {
  const lack = lackOf(panel);
  if (panel.kind === 'text' || lack !== null) {
    return (
      <>
        <figcaption>
          {caption}
          {(panel.title !== '' || lack !== null) && <span class="title">{nameOf(panel)}</span>}
        </figcaption>
        <p class={lack === null ? 'words' : 'words lack'}>{lack ?? panel.text}</p>
      </>
    );
  }
  return panel.kind === 'table' ? <Table panel={panel} caption={caption} /> : <Drawn panel={panel} caption={caption} />;
}
