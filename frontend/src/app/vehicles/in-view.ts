import { computed, Signal } from '@angular/core';
import { toObservable } from '@angular/core/rxjs-interop';
import { distinctUntilChanged, map, Observable } from 'rxjs';

import { Page, pagesOf, Rows, vehiclesOf } from './pages';

/** More would make an address that servers on the way refuse. */
const MOST_VINS = 300;

/** What of the loaded pages is on the screen. */
export interface InView {
  readonly pages: Signal<Rows>;
  /** In alphabetical order, so that vehicles that only change places are the same. */
  readonly vins: Signal<readonly string[]>;
  /** How many vehicles are loaded, if the last of them is in view and there are more. */
  readonly end: Signal<number | null>;
}

export function inView(loaded: Signal<readonly Page[]>, rows: Signal<Rows>): InView {
  const pages = computed(() => pagesOf(loaded(), rows()), {
    equal: (one, other) => one.start === other.start && one.end === other.end,
  });
  const vins = computed(
    () => {
      const { start, end } = pages();
      const vehicles = vehiclesOf(loaded().slice(start, end));
      return vehicles
        .slice(0, MOST_VINS)
        .map(({ vin }) => vin)
        .sort();
    },
    { equal: (one, other) => one.join() === other.join() },
  );
  const end = computed(() => {
    const [count, more] = [vehiclesOf(loaded()).length, loaded().at(-1)?.answer.next_cursor];
    return rows().end >= count && more != null ? count : null;
  });
  return { pages, vins, end };
}

/** An observable lags a moment behind its signal; this one says what the signal says by then. */
export function changesOf<T>(signal: Signal<T>): Observable<T> {
  return toObservable(signal).pipe(
    map(() => signal()),
    distinctUntilChanged(),
  );
}
