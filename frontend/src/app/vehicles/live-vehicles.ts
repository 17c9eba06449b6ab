import { computed, DOCUMENT, effect, inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import {
  combineLatest,
  concat,
  concatMap,
  defer,
  EMPTY,
  expand,
  filter,
  map,
  merge,
  Observable,
  retry,
  skip,
  Subject,
  switchMap,
  tap,
  timer,
} from 'rxjs';

import { Failure, toFailure } from '../api/failure';
import { StreamEvent, StreamLost, VehicleStream } from '../api/vehicle-stream';
import { atMostEvery } from '../time/at-most-every';
import { ServerClock } from '../time/server-clock';
import { tabVisible } from '../time/tab-visible';
import { changesOf, inView } from './in-view';
import { Rows, vehiclesOf } from './pages';
import { QueryInUrl } from './query-in-url';
import { movesRows, outdated, Snapshot, withEvent, withPage } from './snapshot';
import { toFilters, VehicleQuery } from './vehicle-query';
import { VehicleSearch } from './vehicle-search';

/** However much happens, the pages in view are asked for no more often. */
const QUIET_MS = 1000;
const LONGEST_BACKOFF_MS = 5000;
/** However fast somebody scrolls, one refresh stays this small. */
const MAX_PAGES_PER_REFRESH = 4;
/** No event tells that a vehicle far down the list now belongs into view without one of those in view leaving. */
const AT_LATEST_MS = 60_000;
/** Among the last seen that is every other vehicle. */
const LAST_SEEN_AT_LATEST_MS = 5000;
/** A read model keeps up within a second; what is older than this must not pass for now. */
const BEHIND_MS = 5000;
const TOP: Rows = { start: 0, end: 1 };

/**
 * Keeps the vehicles that are on the screen up to date: asks for the pages in view, then follows the stream for what
 * happens to them, and asks again only where other vehicles may have come into view. Not while nobody looks. Through an
 * outage the last snapshot stays; where no stream can be had it asks every few seconds.
 */
@Injectable()
export class LiveVehicles {
  private readonly search = inject(VehicleSearch);
  private readonly stream = inject(VehicleStream);
  private readonly query = inject(QueryInUrl).query;
  private readonly lastSnapshot = signal<Snapshot | null>(null);
  private readonly lastFailure = signal<Failure | null>(null);

  /** The rows that the table has rendered. */
  readonly rowsInView = signal(TOP);
  readonly snapshot = this.lastSnapshot.asReadonly();
  readonly failure = this.lastFailure.asReadonly();
  readonly vehicles = computed(() => vehiclesOf(this.pages()));
  /** The snapshot is the answer to what is asked now. */
  readonly answered = computed(() => this.snapshot()?.query === this.query());
  /** The read service answers, but from a read model that lags behind what vehicles have said. */
  readonly behind = computed(() => {
    const latest = this.snapshot()?.latest;
    return (
      latest !== undefined && Date.parse(latest.answered_at) - Date.parse(latest.as_of) > BEHIND_MS
    );
  });
  readonly loading = computed(() => this.failure() === null && !this.answered());

  private readonly pages = computed(() => this.snapshot()?.pages ?? []);
  private readonly inView = inView(this.pages, this.rowsInView);
  private readonly pagesInView$ = changesOf(this.inView.pages);
  private readonly vinsInView$ = changesOf(this.inView.vins);
  private readonly endInView$ = changesOf(this.inView.end);

  constructor() {
    const clock = inject(ServerClock);
    const answeredAt = computed(() => this.snapshot()?.latest.answered_at);
    effect(() => {
      clock.synchronize(answeredAt());
    });
    combineLatest([toObservable(this.query), tabVisible(inject(DOCUMENT))])
      .pipe(
        switchMap(([query, visible]) => (visible ? this.follow(query) : EMPTY)),
        takeUntilDestroyed(),
      )
      .subscribe();
  }

  private follow(query: VehicleQuery): Observable<unknown> {
    if (this.snapshot()?.query !== query) {
      this.rowsInView.set(TOP);
    }
    return defer(() => {
      this.lastSnapshot.update((snapshot) => snapshot && outdated(snapshot));
      return concat(this.ask(query), this.listen(query));
    }).pipe(
      retry({
        delay: (error, failures) => this.waitAfter(error, failures),
        resetOnSuccess: true,
      }),
    );
  }

  /** Asks for the pages in view, and for the next one where they end. */
  private ask(query: VehicleQuery): Observable<void> {
    return defer(() => {
      const asked = this.snapshot()?.query === query;
      const { start, end } = asked ? this.inView.pages() : { start: 0, end: 0 };
      const wanted = Math.min(
        Math.max(1, end - start) + (asked && this.inView.end() !== null ? 1 : 0),
        MAX_PAGES_PER_REFRESH,
      );
      return this.search.page(query, asked ? (this.pages()[start]?.cursor ?? null) : null).pipe(
        expand(({ answer }, index) =>
          answer.next_cursor !== null && index + 1 < wanted
            ? this.search.page(query, answer.next_cursor)
            : EMPTY,
        ),
        map((page, index) => {
          const snapshot = this.snapshot();
          const former = snapshot?.query === query ? snapshot : null;
          this.show(withPage(former, query, start + index, page));
        }),
      );
    });
  }

  /** Follows the stream for the vehicles in view, and asks again where it does not tell who is in view now. */
  private listen(query: VehicleQuery): Observable<unknown> {
    const moved = new Subject<void>();
    let after = '';
    const told = this.vinsInView$.pipe(
      atMostEvery(QUIET_MS),
      switchMap((vin) => this.stream.follow({ ...toFilters(query), vin, counts: true, after })),
      tap((event) => {
        after = event.cursor;
        if (this.hear(event)) {
          moved.next();
        }
      }),
    );
    const pause = query.sort === '-last_heartbeat_at' ? LAST_SEEN_AT_LATEST_MS : AT_LATEST_MS;
    const asked = merge(
      merge(moved, this.pagesInView$.pipe(skip(1)), timer(pause, pause)).pipe(
        atMostEvery(QUIET_MS),
      ),
      this.endInView$.pipe(filter((end) => end !== null)),
    ).pipe(concatMap(() => this.ask(query)));
    return merge(told, asked);
  }

  /** Whether other vehicles may now be in view. */
  private hear(event: StreamEvent): boolean {
    const snapshot = this.snapshot();
    if (snapshot === null) {
      return true;
    }
    this.show(withEvent(snapshot, event));
    return movesRows(snapshot, event);
  }

  private show(snapshot: Snapshot): void {
    this.lastFailure.set(null);
    this.lastSnapshot.set(snapshot);
  }

  private waitAfter(error: unknown, failures: number): Observable<unknown> {
    if (error instanceof StreamLost) {
      if (error.reason === 'silent') {
        this.lastFailure.set({ kind: 'unreachable' });
      }
      // Where there is no stream to be had, asking has to do.
      return timer(error.reason === 'refused' ? LONGEST_BACKOFF_MS : QUIET_MS);
    }
    const failure = toFailure(error);
    this.lastFailure.set(failure);
    if (failure.kind === 'refused') {
      // Perhaps a cursor that is no longer good: start over from the top.
      this.lastSnapshot.set(null);
    }
    return timer(Math.min(QUIET_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS));
  }
}
