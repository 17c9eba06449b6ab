import { LiveAnnouncer } from '@angular/cdk/a11y';
import { inject, Injectable } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import {
  distinctUntilChanged,
  filter,
  map,
  Observable,
  pairwise,
  startWith,
  switchMap,
  throttleTime,
} from 'rxjs';

import { Counts, STATUSES } from '../api/contract';
import { timeOfDay } from '../time/local-time';
import { LiveVehicles } from './live-vehicles';
import { Snapshot } from './snapshot';
import { STATUS_NAMES } from './status';

/** Whoever listens to the page hears the result of a new query at once, but changes in the fleet only this often. */
const QUIET_MS = 30_000;

/** Tells screen readers, politely, what others see change. */
@Injectable()
export class Announcements {
  private readonly live = inject(LiveVehicles);
  private readonly announcer = inject(LiveAnnouncer);
  private readonly say = (text: string): void => {
    void this.announcer.announce(text, 'polite');
  };

  constructor() {
    this.counts().pipe(takeUntilDestroyed()).subscribe(this.say);
    this.reachability().pipe(takeUntilDestroyed()).subscribe(this.say);
  }

  private counts(): Observable<string> {
    const snapshot$ = toObservable(this.live.snapshot).pipe(
      filter((snapshot): snapshot is Snapshot => snapshot !== null),
    );
    return snapshot$.pipe(
      distinctUntilChanged((one, other) => one.query === other.query),
      switchMap((first) =>
        snapshot$.pipe(
          startWith(first),
          map(({ latest }) => inWords(latest)),
          distinctUntilChanged(),
          throttleTime(QUIET_MS, undefined, { leading: true, trailing: true }),
        ),
      ),
    );
  }

  private reachability(): Observable<string> {
    return toObservable(this.live.failure).pipe(
      map((failure) => failure?.kind === 'unreachable'),
      distinctUntilChanged(),
      pairwise(),
      map(([, unreachable]) => (unreachable ? this.outage() : 'Read service reachable again.')),
    );
  }

  private outage(): string {
    const asOf = this.live.snapshot()?.latest.as_of;
    return asOf === undefined
      ? 'Read service unreachable.'
      : `Read service unreachable. Showing data from ${timeOfDay(asOf)}.`;
  }
}

function inWords({ total, facets }: Counts): string {
  const counts = STATUSES.map(
    (status) => `${String(facets.status[status] ?? 0)} ${STATUS_NAMES[status].toLowerCase()}`,
  );
  return `${String(total)} ${total === 1 ? 'vehicle' : 'vehicles'}. By status: ${counts.join(', ')}.`;
}
