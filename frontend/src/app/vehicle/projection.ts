import { Coordinates } from '../api/history';

/** Of the sphere that the scale is reckoned on; the ellipsoid differs by less than half a percent. */
const KM_PER_DEGREE = 111.195;
/** Standing still jitters by metres, which must not fill the picture. */
const SMALLEST_KM = 0.1;

export interface Size {
  readonly width: number;
  readonly height: number;
  readonly margin: number;
}

export interface Drawing {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** How long the scale bar is, in kilometres and as drawn. */
  readonly scale: { readonly km: number; readonly length: number };
}

/**
 * Draws a track to scale on a flat piece of the earth, north upwards (equirectangular, true to scale in the middle):
 * what a trip covers is small enough for that, and no map has to be fetched from anywhere.
 */
export function draw(coordinates: readonly Coordinates[], size: Size): Drawing {
  const [origin = [0, 0] as const] = coordinates;
  const latitudes = coordinates.map(([, latitude]) => latitude);
  const middle = (Math.min(...latitudes) + Math.max(...latitudes)) / 2;
  const shrink = Math.cos((middle * Math.PI) / 180);
  const flat = coordinates.map(([longitude, latitude]) => ({
    x: shortWayRound(longitude - origin[0]) * shrink * KM_PER_DEGREE,
    y: -(latitude - origin[1]) * KM_PER_DEGREE,
  }));
  const across = extent(flat.map(({ x }) => x));
  const down = extent(flat.map(({ y }) => y));
  const pixelsPerKm = Math.min(
    (size.width - 2 * size.margin) / across.length,
    (size.height - 2 * size.margin) / down.length,
  );
  const km = roundLength(size.width / 4 / pixelsPerKm);
  return {
    points: flat.map(({ x, y }) => ({
      x: rounded(size.width / 2 + (x - across.middle) * pixelsPerKm),
      y: rounded(size.height / 2 + (y - down.middle) * pixelsPerKm),
    })),
    scale: { km, length: rounded(km * pixelsPerKm) },
  };
}

/** Fiji's ferries cross the 180th meridian. */
function shortWayRound(degrees: number): number {
  return ((degrees + 540) % 360) - 180;
}

function extent(values: readonly number[]): { readonly middle: number; readonly length: number } {
  const [least, most] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  return { middle: (least + most) / 2, length: Math.max(most - least, SMALLEST_KM) };
}

/** The longest of 1, 2, 5, 10, 20, 50 … that is no longer than this. */
function roundLength(km: number): number {
  const power = 10 ** Math.floor(Math.log10(km));
  const digit = [5, 2, 1].find((digit) => digit * power <= km) ?? 1;
  return digit * power;
}

function rounded(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
