import { provideHttpClient } from '@angular/common/http';
import {
  HttpTestingController,
  provideHttpClientTesting,
  TestRequest,
} from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';

import { Status } from '../api/contract';
import { ServerClock } from '../time/server-clock';
import { ABC123, answerOf, AS_OF, DEF456, manyVehicles } from './fleet.fixture';
import { LiveVehicles } from './live-vehicles';
import { QueryInUrl } from './query-in-url';
import { ALL_VEHICLES, VehicleQuery } from './vehicle-query';

const SERVER_ERROR = { status: 500, statusText: 'Internal Server Error' };

describe('LiveVehicles', () => {
  const query = signal<VehicleQuery>(ALL_VEHICLES);
  let live: LiveVehicles;
  let http: HttpTestingController;

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse(AS_OF) });
    query.set(ALL_VEHICLES);
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        LiveVehicles,
        { provide: QueryInUrl, useValue: { query } },
      ],
    });
    live = TestBed.inject(LiveVehicles);
    http = TestBed.inject(HttpTestingController);
    TestBed.tick();
  });

  afterEach(() => {
    http.verify();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** The one request under way: two would be an overlap. */
  const request = (): TestRequest => http.expectOne(({ url }) => url === '/api/v1/vehicles');
  const cursorOf = ({ request: { params } }: TestRequest): string | null => params.get('cursor');
  const wait = (milliseconds: number): void => {
    vi.advanceTimersByTime(milliseconds);
    TestBed.tick();
  };
  const hideTab = (hidden: boolean): void => {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
    document.dispatchEvent(new Event('visibilitychange'));
    TestBed.tick();
  };

  it('asks for what the URL says', () => {
    request().flush(answerOf([ABC123]));

    const statuses: readonly Status[] = ['connected', 'never_seen'];
    query.set({ q: 'abc', customerIds: ['kalle', 'johan'], statuses, sort: '-vin' });
    TestBed.tick();

    expect(request().request.params.toString()).toBe(
      'q=abc&customer_id=kalle&customer_id=johan&status=connected&status=never_seen&sort=-vin&limit=100',
    );
  });

  it('shows a change within two seconds', () => {
    request().flush(answerOf([ABC123]));
    wait(1000);
    request().flush(answerOf([{ ...ABC123, status: 'disconnected' }]));

    expect(live.vehicles()).toMatchObject([{ vin: ABC123.vin, status: 'disconnected' }]);
  });

  it('waits for an answer before it asks again', () => {
    const first = request();
    wait(4000);
    http.expectNone('/api/v1/vehicles');

    first.flush(answerOf([]));
    wait(1000);
    request();
  });

  it('asks nothing while the tab is hidden, and at once when it is looked at again', () => {
    request().flush(answerOf([ABC123]));
    hideTab(true);
    wait(60_000);
    http.expectNone('/api/v1/vehicles');

    hideTab(false);
    request();
  });

  it('drops an answer that nobody waits for any more', () => {
    const slow = request();
    query.set({ ...ALL_VEHICLES, q: 'def' });
    TestBed.tick();

    expect(slow.cancelled).toBe(true);
    http.expectOne(({ params }) => params.get('q') === 'def').flush(answerOf([DEF456]));
    expect(live.vehicles()).toEqual([DEF456]);
  });

  it('is loading until there is an answer to the query, and keeps the former one meanwhile', () => {
    expect(live.loading()).toBe(true);
    request().flush(answerOf([ABC123]));
    expect(live.loading()).toBe(false);

    query.set({ ...ALL_VEHICLES, q: 'def' });
    TestBed.tick();
    expect(live.loading()).toBe(true);
    expect(live.vehicles()).toEqual([ABC123]);
    request();
  });

  it('sets the clock by the server', () => {
    request().flush(answerOf([], { answered_at: '2026-11-21T15:00:00Z' }));

    expect(TestBed.inject(ServerClock).now()).toBe(Date.parse('2026-11-21T15:00:00Z'));
  });

  describe('when the read service is away', () => {
    it('keeps what it has, tries again ever less often up to 5 s, and recovers by itself', () => {
      request().flush(answerOf([ABC123]));
      wait(1000);
      for (const pause of [1000, 2000, 4000, 5000, 5000]) {
        request().flush(null, SERVER_ERROR);
        expect(live.failure()).toEqual({ kind: 'unreachable' });
        expect(live.vehicles()).toEqual([ABC123]);
        wait(pause - 1);
        http.expectNone('/api/v1/vehicles');
        wait(1);
      }
      request().flush(answerOf([DEF456]));
      expect(live.failure()).toBeNull();
      expect(live.vehicles()).toEqual([DEF456]);

      wait(1000);
      request().flush(null, SERVER_ERROR);
      wait(1000);
      request();
    });

    it('gives up on an answer that does not come', () => {
      const hanging = request();
      wait(5000);

      expect(hanging.cancelled).toBe(true);
      expect(live.failure()).toEqual({ kind: 'unreachable' });
    });
  });

  it('starts over from the top when it is refused, for a cursor may have become void', () => {
    request().flush(answerOf(manyVehicles(100), { total: 150, next_cursor: 'b' }));
    live.rowsInView.set({ start: 90, end: 100 });
    TestBed.tick();
    wait(1);
    request().flush(answerOf(manyVehicles(100), { total: 150, next_cursor: 'b' }));
    const refused = { code: 'invalid_cursor', detail: 'The cursor is not valid.' };
    request().flush(refused, { status: 422, statusText: 'Unprocessable Content' });

    expect(live.failure()).toMatchObject({ kind: 'refused', reasons: [refused.detail] });
    expect(live.snapshot()).toBeNull();
    wait(1000);
    expect(cursorOf(request())).toBeNull();
  });

  describe('with more vehicles than one page', () => {
    const answer = (first: number, next: string | null): ReturnType<typeof answerOf> =>
      answerOf(manyVehicles(100, first), { total: 250, next_cursor: next });

    const scrollTo = (start: number, end: number): void => {
      live.rowsInView.set({ start, end });
      TestBed.tick();
      wait(1);
    };

    beforeEach(() => {
      request().flush(answer(0, 'b'));
    });

    it('fetches only the first page until somebody scrolls', () => {
      scrollTo(0, 40);
      wait(1000);
      request().flush(answer(0, 'b'));

      expect(live.vehicles()).toHaveLength(100);
      http.expectNone('/api/v1/vehicles');
    });

    it('fetches the next page at once when the end comes into view', () => {
      scrollTo(70, 100);
      request().flush(answer(0, 'b'));
      const next = request();
      expect(cursorOf(next)).toBe('b');
      next.flush(answer(100, 'c'));

      expect(live.vehicles()).toHaveLength(200);
    });

    it('refreshes only the pages in view', () => {
      scrollTo(70, 100);
      request().flush(answer(0, 'b'));
      request().flush(answer(100, 'c'));
      scrollTo(130, 170);
      wait(1000);

      const refresh = request();
      expect(cursorOf(refresh)).toBe('b');
      refresh.flush(answer(100, 'c'));
      wait(999);
      http.expectNone('/api/v1/vehicles');
      expect(live.vehicles()).toHaveLength(200);
    });

    it('begins at the top again with another query', () => {
      scrollTo(70, 100);
      request().flush(answer(0, 'b'));
      request().flush(answer(100, 'c'));
      query.set({ ...ALL_VEHICLES, sort: 'vin' });
      TestBed.tick();

      const first = request();
      expect(cursorOf(first)).toBeNull();
      first.flush(answer(0, 'b'));
      expect(live.vehicles()).toHaveLength(100);
    });
  });
});
