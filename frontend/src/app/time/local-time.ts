const TIME_OF_DAY = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const MINUTE = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const DAY = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
const FULL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' });

/** 14:03:22 */
export function timeOfDay(instant: string): string {
  return TIME_OF_DAY.format(new Date(instant));
}

/** 21 Nov 2026, 14:03:22 */
export function dayAndTime(instant: string): string {
  return `${DAY.format(new Date(instant))}, ${timeOfDay(instant)}`;
}

/** 14:03:22, and with the day where that is not the day of `other`. */
export function timeBeside(instant: string, other: string): string {
  return sameDay(new Date(instant), new Date(other)) ? timeOfDay(instant) : dayAndTime(instant);
}

/** 14:03 today, else 20 Nov 2026. */
export function sinceWhen(instant: string, now: number): string {
  const since = new Date(instant);
  return (sameDay(since, new Date(now)) ? MINUTE : DAY).format(since);
}

/** Saturday 21 November 2026 at 14:03:22 CET */
export function fullTime(instant: string): string {
  return FULL.format(new Date(instant));
}

function sameDay(one: Date, other: Date): boolean {
  return one.toDateString() === other.toDateString();
}
