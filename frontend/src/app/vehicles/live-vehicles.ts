import { HttpClient, HttpParams } from '@angular/common/http';
import { computed, DOCUMENT, inject, Injectable, signal } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import {
  combineLatest,
  defer,
  distinctUntilChanged,
  EMPTY,
  expand,
  filter,
  fromEvent,
  map,
  Observable,
  race,
  repeat,
  retry,
  startWith,
  switchMap,
  take,
  timeout,
  timer,
} from 'rxjs';

import { VehiclePage } from '../api/contract';
import { Failure, toFailure } from '../api/failure';
import { ServerClock } from '../time/server-clock';
import { Page, pagesOf, replacePage, Rows, vehiclesOf } from './pages';
import { QueryInUrl } from './query-in-url';
import { toParams, VehicleQuery } from './vehicle-query';

const PAGE_SIZE = 100;
const POLL_MS = 1000;
const TIMEOUT_MS = 5000;
const LONGEST_BACKOFF_MS = 5000;
/** However fast somebody scrolls, one refresh stays this small. */
const MAX_PAGES_PER_REFRESH = 4;
/** A read model keeps up within a second; what is older than this must not pass for now. */
const BEHIND_MS = 5000;
const TOP: Rows = { start: 0, end: 1 };

/** What the read service last answered, and the query it answered. */
export interface Snapshot {
  readonly query: VehicleQuery;
  readonly pages: readonly Page[];
  readonly latest: VehiclePage;
}

/**
 * Keeps the vehicles that are on the screen up to date: asks again for the pages in view about once a second, one
 * request at a time, and not while nobody looks. Through an outage the last snapshot stays.
 */
@Injectable()
export class LiveVehicles {
  private readonly http = inject(HttpClient);
  private readonly clock = inject(ServerClock);
  private readonly document = inject(DOCUMENT);
  private readonly query = inject(QueryInUrl).query;
  private readonly lastSnapshot = signal<Snapshot | null>(null);
  private readonly lastFailure = signal<Failure | null>(null);

  /** The rows that the table has rendered. */
  readonly rowsInView = signal(TOP);
  readonly snapshot = this.lastSnapshot.asReadonly();
  readonly failure = this.lastFailure.asReadonly();
  readonly vehicles = computed(() => vehiclesOf(this.snapshot()?.pages ?? []));
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

  private readonly scrolledToEnd = computed(
    () =>
      this.rowsInView().end >= this.vehicles().length &&
      this.snapshot()?.pages.at(-1)?.answer.next_cursor != null,
  );
  private readonly scrolledToEnd$ = toObservable(this.scrolledToEnd).pipe(
    // The observable lags a moment behind the signal.
    filter(() => this.scrolledToEnd()),
  );

  constructor() {
    combineLatest([toObservable(this.query), this.tabIsVisible()])
      .pipe(
        switchMap(([query, visible]) => (visible ? this.follow(query) : EMPTY)),
        takeUntilDestroyed(),
      )
      .subscribe((snapshot) => {
        this.clock.synchronize(snapshot.latest.answered_at);
        this.lastFailure.set(null);
        this.lastSnapshot.set(snapshot);
      });
  }

  private follow(query: VehicleQuery): Observable<Snapshot> {
    if (this.snapshot()?.query !== query) {
      this.rowsInView.set(TOP);
    }
    return defer(() => this.refresh(query)).pipe(
      repeat({ delay: () => race(timer(POLL_MS), this.scrolledToEnd$).pipe(take(1)) }),
      retry({
        delay: (error, failures) => this.waitAfter(toFailure(error), failures),
        resetOnSuccess: true,
      }),
    );
  }

  private refresh(query: VehicleQuery): Observable<Snapshot> {
    const snapshot = this.snapshot();
    let pages = snapshot?.query === query ? snapshot.pages : [];
    const inView = pagesOf(pages, this.rowsInView());
    const wanted = Math.min(
      Math.max(1, inView.end - inView.start) + (this.scrolledToEnd() ? 1 : 0),
      MAX_PAGES_PER_REFRESH,
    );
    return this.fetchPage(query, pages[inView.start]?.cursor ?? null).pipe(
      expand(({ answer }, index) =>
        answer.next_cursor !== null && index + 1 < wanted
          ? this.fetchPage(query, answer.next_cursor)
          : EMPTY,
      ),
      map((page, index) => {
        pages = replacePage(pages, inView.start + index, page);
        return { query, pages, latest: page.answer };
      }),
    );
  }

  private fetchPage(query: VehicleQuery, cursor: string | null): Observable<Page> {
    const params = new HttpParams({
      fromObject: {
        ...toParams(query),
        sort: query.sort,
        limit: PAGE_SIZE,
        ...(cursor !== null && { cursor }),
      },
    });
    return this.http.get<VehiclePage>('/api/v1/vehicles', { params }).pipe(
      timeout(TIMEOUT_MS),
      map((answer) => ({ cursor, answer })),
    );
  }

  private waitAfter(failure: Failure, failures: number): Observable<unknown> {
    this.lastFailure.set(failure);
    if (failure.kind === 'refused') {
      // Perhaps a cursor that is no longer good: start over from the top.
      this.lastSnapshot.set(null);
    }
    return timer(Math.min(POLL_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS));
  }

  private tabIsVisible(): Observable<boolean> {
    return fromEvent(this.document, 'visibilitychange').pipe(
      startWith(null),
      map(() => !this.document.hidden),
      distinctUntilChanged(),
    );
  }
}
