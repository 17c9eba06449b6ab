/** 97.3 %: rounded down, for what was not connected all the time must not be said to be. */
export function share(part: number): string {
  const perMille = Math.floor(Number((part * 1000).toFixed(6)));
  return `${(perMille / 10).toFixed(1)} %`;
}

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** 62 km/h */
export function speed(kmh: number): string {
  return `${WHOLE.format(kmh)} km/h`;
}

/** 104,231.7 km */
export function distance(km: number): string {
  return `${TENTHS.format(km)} km`;
}

const POINTS = [
  'north',
  'north-east',
  'east',
  'south-east',
  'south',
  'south-west',
  'west',
  'north-west',
];

/** 271° (west) */
export function heading(degrees: number): string {
  const point = POINTS[Math.round(degrees / 45) % POINTS.length] ?? '';
  return `${WHOLE.format(degrees)}° (${point})`;
}
