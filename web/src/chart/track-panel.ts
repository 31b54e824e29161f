// The track of a dataset that has a latitude and a longitude: one line per device, a marker at the crosshair or the newest
// position, a graticule and a scale bar.

import { lowerBound } from '../state/ring';
import { say } from '../text/charts';
import { formatClock } from '../view/format';
import { Surface } from './canvas';
import { cursor } from './cursor';
import type { Moment } from './loop';
import { type Box, type Fit, fitBox, isPosition, latitudeOf, project, scaleBar } from './mercator';
import { palette } from './palette';
import { Panel } from './panel';
import type { Area } from './plot';
import { type ChartTable, MOST_ROWS } from './readings';
import { type DeviceLine, sourceLines } from './source';

const MARGIN = 26;
const GRATICULE_SPACE = 70;

interface Track {
  color: string;
  device: string;
  time: number[];
  x: number[];
  y: number[];
  /** The line is lifted before this point. */
  lift: boolean[];
}

/** Positions inside the window: latitude and longitude of the same row, or of the same bucket. */
export function trackOf(latitude: DeviceLine, longitude: DeviceLine, from: number, to: number): Track {
  const track: Track = { color: latitude.color, device: latitude.device, time: [], x: [], y: [], lift: [] };
  const { rows } = latitude;
  const end = lowerBound(rows, to);
  let previous = Number.NaN;
  for (let i = lowerBound(rows, from); i < end; i++) {
    const slot = (rows.start + i) & rows.mask;
    const lat = latitude.value[slot] as number;
    const lon = longitude.value[slot] as number;
    if (!Number.isFinite(lat) || !Number.isFinite(lon) || !isPosition(lat, lon)) continue;
    const time = rows.time[slot] as number;
    const point = project(lat, lon);
    track.time.push(time);
    track.x.push(point.x);
    track.y.push(point.y);
    track.lift.push(time - previous > latitude.rule.longest);
    previous = time;
  }
  return track;
}

function placeOf(track: Track, i: number): { latitude: number; longitude: number } {
  return { latitude: latitudeOf(track.y[i] as number), longitude: (track.x[i] as number) * 360 - 180 };
}

function boxOf(tracks: Track[]): Box | null {
  const box = { west: 2, east: -1, north: 2, south: -1 };
  for (const track of tracks) {
    for (let i = 0; i < track.x.length; i++) {
      box.west = Math.min(box.west, track.x[i] as number);
      box.east = Math.max(box.east, track.x[i] as number);
      box.north = Math.min(box.north, track.y[i] as number);
      box.south = Math.max(box.south, track.y[i] as number);
    }
  }
  return box.east < 0 ? null : box;
}

/** Step of the graticule in degrees: a round part of a degree that leaves `space` pixels between lines. */
function graticuleStep(degreesPerPixel: number, space: number): number {
  const least = degreesPerPixel * space;
  const power = 10 ** Math.floor(Math.log10(least));
  return (least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10) * power;
}

export class TrackPanel extends Panel {
  private surface: Surface | null = null;
  private tracks: Track[] = [];
  private fitted: Fit | null = null;

  constructor(
    element: HTMLElement,
    dataset: string,
    private readonly latitude: string,
    private readonly longitude: string,
    private readonly readout: HTMLElement,
    private readonly message: HTMLElement,
  ) {
    super(element, dataset);
  }

  override table(): ChartTable {
    const points = this.tracks.flatMap((track) => track.time.map((time, i) => ({ track, time, i })));
    points.sort((a, b) => b.time - a.time);
    return {
      heads: [say('table.time'), say('table.device'), this.latitude, this.longitude],
      rows: points.slice(0, MOST_ROWS).map(({ track, time, i }) => {
        const { latitude, longitude } = placeOf(track, i);
        return [formatClock(time, 3), track.device, latitude.toFixed(5), longitude.toFixed(5)];
      }),
      numbersFrom: 2,
    };
  }

  protected area(): Area {
    return { left: 0, top: 0, width: this.width, height: this.height };
  }

  protected create(): void {
    this.surface ??= new Surface(this.element, 'track');
  }

  protected discard(): void {
    this.surface?.remove();
    this.surface = null;
  }

  protected sizeChanged(): void {
    // The surface takes the size at the next drawing.
  }

  protected draw(moment: Moment): void {
    const latitudes = sourceLines(this.dataset, this.latitude, 'number', moment, this.width);
    const longitudes = sourceLines(this.dataset, this.longitude, 'number', moment, this.width);
    this.tracks = latitudes.lines.flatMap((line) => {
      const other = longitudes.lines.find((l) => l.device === line.device);
      return other === undefined ? [] : [trackOf(line, other, moment.from, moment.to)];
    });
    const box = boxOf(this.tracks);
    this.message.hidden = box !== null;
    this.message.textContent = latitudes.waiting ? say('panel.waiting') : (latitudes.refusal ?? say('panel.noTrack'));
    this.fitted = box === null ? null : fitBox(box, this.width, this.height, MARGIN);
    this.render(moment);
  }

  override point(moment: Moment): void {
    // The marker is part of the picture: a moved crosshair draws it anew, from the tracks already at hand.
    this.render(moment);
  }

  protected showValues(): void {
    // Written by `render`, with the marker.
  }

  private render(moment: Moment): void {
    this.create();
    const ctx = (this.surface as Surface).begin(this.width, this.height);
    const place = this.fitted;
    if (place === null) {
      this.readout.textContent = '';
      return;
    }
    ctx.font = palette().font;
    this.drawGraticule(ctx, place);
    for (const track of this.tracks) this.drawTrack(ctx, track, place);
    const time = cursor.fraction === null ? moment.to : moment.from + cursor.fraction * (moment.to - moment.from);
    const texts = this.tracks.map((track) => this.drawMarker(ctx, track, place, time));
    const text = texts.find((t) => t !== '') ?? '';
    if (this.readout.textContent !== text) this.readout.textContent = text;
    this.drawScale(ctx, place);
    this.element.setAttribute('aria-label', say('panel.summaryTrack', { position: text }));
  }

  private drawTrack(ctx: CanvasRenderingContext2D, track: Track, place: Fit): void {
    ctx.strokeStyle = track.color;
    ctx.lineWidth = 2;
    ctx.lineJoin = 'round';
    ctx.lineCap = 'round';
    ctx.beginPath();
    for (let i = 0; i < track.x.length; i++) {
      const x = (track.x[i] as number) * place.scale + place.left;
      const y = (track.y[i] as number) * place.scale + place.top;
      if (i === 0 || track.lift[i]) ctx.moveTo(x, y);
      else ctx.lineTo(x, y);
    }
    ctx.stroke();
  }

  private drawMarker(ctx: CanvasRenderingContext2D, track: Track, place: Fit, time: number): string {
    let at = track.time.length - 1;
    while (at > 0 && (track.time[at] as number) > time) at -= 1;
    if (at < 0) return '';
    const x = (track.x[at] as number) * place.scale + place.left;
    const y = (track.y[at] as number) * place.scale + place.top;
    const { surface } = palette();
    ctx.beginPath();
    ctx.arc(x, y, 6.5, 0, 2 * Math.PI);
    ctx.fillStyle = surface;
    ctx.fill();
    ctx.beginPath();
    ctx.arc(x, y, 4.5, 0, 2 * Math.PI);
    ctx.fillStyle = track.color;
    ctx.fill();
    const { latitude, longitude } = placeOf(track, at);
    return `${latitude.toFixed(5)}°, ${longitude.toFixed(5)}°`;
  }

  private drawGraticule(ctx: CanvasRenderingContext2D, place: Fit): void {
    const colors = palette();
    const step = graticuleStep(360 / place.scale, GRATICULE_SPACE);
    const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    const west = -place.left / place.scale;
    const east = (this.width - place.left) / place.scale;
    const north = latitudeOf(-place.top / place.scale);
    const south = latitudeOf((this.height - place.top) / place.scale);
    ctx.strokeStyle = colors.grid;
    ctx.fillStyle = colors.inkSoft;
    ctx.lineWidth = 1;
    ctx.textBaseline = 'alphabetic';
    ctx.beginPath();
    for (let lon = Math.ceil((west * 360 - 180) / step) * step; lon < east * 360 - 180; lon += step) {
      const x = Math.round(((lon + 180) / 360) * place.scale + place.left) + 0.5;
      ctx.moveTo(x, 0);
      ctx.lineTo(x, this.height);
      ctx.fillText(`${lon.toFixed(digits)}°`, x + 4, this.height - 6);
    }
    for (let lat = Math.ceil(south / step) * step; lat < north; lat += step) {
      const y = Math.round(project(lat, 0).y * place.scale + place.top) + 0.5;
      ctx.moveTo(0, y);
      ctx.lineTo(this.width, y);
      if (y < this.height - 24) ctx.fillText(`${lat.toFixed(digits)}°`, 4, y - 4);
    }
    ctx.stroke();
  }

  private drawScale(ctx: CanvasRenderingContext2D, place: Fit): void {
    const colors = palette();
    const middle = latitudeOf((this.height / 2 - place.top) / place.scale);
    const bar = scaleBar(place.scale, middle, 90);
    const text = bar.metres >= 1_000 ? `${bar.metres / 1_000} km` : `${bar.metres} m`;
    const right = this.width - 10;
    ctx.strokeStyle = colors.ink;
    ctx.fillStyle = colors.ink;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.moveTo(right - bar.pixels, 14);
    ctx.lineTo(right - bar.pixels, 18);
    ctx.lineTo(right, 18);
    ctx.lineTo(right, 14);
    ctx.stroke();
    ctx.textAlign = 'right';
    ctx.fillText(text, right, 10);
    ctx.textAlign = 'left';
  }
}
