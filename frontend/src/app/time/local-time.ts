const TIME_OF_DAY = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const FULL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' });

/** 14:03:22 */
export function timeOfDay(instant: string): string {
  return TIME_OF_DAY.format(new Date(instant));
}

/** Saturday 21 November 2026 at 14:03:22 CET */
export function fullTime(instant: string): string {
  return FULL.format(new Date(instant));
}
