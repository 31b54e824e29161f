// Web Mercator on the unit square, and the fit of a track into a rectangle. No tiles: the track works with the cable out.

export interface Point {
  x: number;
  y: number;
}

const LIMIT = 85.0511287798066;
const EARTH_CIRCUMFERENCE_M = 40_075_016.686;

export function project(latitude: number, longitude: number): Point {
  const phi = (Math.min(Math.max(latitude, -LIMIT), LIMIT) * Math.PI) / 180;
  return { x: (longitude + 180) / 360, y: (1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2 };
}

export function latitudeOf(y: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
}

export interface Fit {
  /** Pixels per unit of the square. */
  scale: number;
  left: number;
  top: number;
}

export interface Box {
  west: number;
  east: number;
  north: number;
  south: number;
}

/** Least extent shown, so that a parked vehicle is not magnified into its own noise: about 40 m at the equator. */
const LEAST_EXTENT = 1e-6;

/** Places `box` (in units of the square) in the middle of `width` × `height` pixels, with a margin. */
export function fitBox(box: Box, width: number, height: number, margin: number): Fit {
  const across = Math.max(box.east - box.west, LEAST_EXTENT);
  const down = Math.max(box.south - box.north, LEAST_EXTENT);
  const scale = Math.min((width - 2 * margin) / across, (height - 2 * margin) / down);
  return {
    scale,
    left: width / 2 - ((box.west + box.east) / 2) * scale,
    top: height / 2 - ((box.north + box.south) / 2) * scale,
  };
}

export interface ScaleBar {
  metres: number;
  pixels: number;
}

/** The longest round distance that fits in `room` pixels at this latitude. */
export function scaleBar(scale: number, latitude: number, room: number): ScaleBar {
  const metresPerPixel = (EARTH_CIRCUMFERENCE_M * Math.cos((latitude * Math.PI) / 180)) / scale;
  const most = metresPerPixel * room;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1) * power;
  return { metres, pixels: metres / metresPerPixel };
}

/** A position that a receiver without a fix sends is not one. */
export function isPosition(latitude: number, longitude: number): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && !(latitude === 0 && longitude === 0);
}
