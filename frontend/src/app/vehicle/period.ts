const HOUR_MS = 3_600_000;

/** A period that ends now. */
export interface Period {
  /** As in the page's address. */
  readonly name: string;
  readonly title: string;
  readonly length: number;
}

const LAST_DAY: Period = { name: '24h', title: 'Last 24 hours', length: 24 * HOUR_MS };

export const PERIODS: readonly Period[] = [
  LAST_DAY,
  { name: '7d', title: 'Last 7 days', length: 7 * 24 * HOUR_MS },
  { name: '30d', title: 'Last 30 days', length: 30 * 24 * HOUR_MS },
];

/** A link may be old or written by hand: what is not understood is the last day. */
export function periodNamed(name: string | null): Period {
  return PERIODS.find((period) => period.name === name) ?? LAST_DAY;
}
