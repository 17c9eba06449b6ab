import { MonoTypeOperatorFunction, throttleTime } from 'rxjs';

/** Lets the first through at once and then no more than one in each such time; the last is never lost. */
export function atMostEvery<T>(milliseconds: number): MonoTypeOperatorFunction<T> {
  return throttleTime(milliseconds, undefined, { leading: true, trailing: true });
}
