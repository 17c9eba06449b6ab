import { provideHttpClient } from '@angular/common/http';
import {
  HttpTestingController,
  provideHttpClientTesting,
  TestRequest,
} from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';

import { Status, Vehicle } from '../api/contract';
import { FakeEventSource } from '../api/event-source.fixture';
import { ServerClock } from '../time/server-clock';
import { ABC123, answerOf, AS_OF, DEF456, JKL012, manyVehicles } from './fleet.fixture';
import { LiveVehicles } from './live-vehicles';
import { QueryInUrl } from './query-in-url';
import { ALL_VEHICLES, VehicleQuery } from './vehicle-query';

const SERVER_ERROR = { status: 500, statusText: 'Internal Server Error' };

const told = (vehicle: Vehicle): object => ({
  vehicle,
  position: 101,
  as_of: AS_OF,
  answered_at: AS_OF,
});

describe('LiveVehicles', () => {
  const query = signal<VehicleQuery>(ALL_VEHICLES);
  let live: LiveVehicles;
  let http: HttpTestingController;

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse(AS_OF) });
    FakeEventSource.install();
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
  const stream = (): FakeEventSource => FakeEventSource.only;
  /** These vehicles are the answer, and the stream tells what becomes of them. */
  const open = (vehicles: readonly Vehicle[]): void => {
    request().flush(answerOf(vehicles));
    TestBed.tick();
    stream().opens();
    request().flush(answerOf(vehicles));
    wait(1000);
  };
  const tell = (vehicle: Vehicle): void => {
    stream().says('vehicle', told(vehicle));
    TestBed.tick();
  };
  /** Nothing happens for so long, and the stream says so now and then. */
  const soundOff = (milliseconds: number): void => {
    for (let waited = 0; waited < milliseconds; waited += 5000) {
      http.expectNone('/api/v1/vehicles');
      stream().says('counts', answerOf([ABC123]));
      wait(5000);
    }
  };
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

  it('follows the stream for the vehicles in view, under the filters of the list', () => {
    request().flush(answerOf([]));
    query.set({ ...ALL_VEHICLES, q: 'abc', statuses: ['connected'], sort: '-vin' });
    TestBed.tick();
    request().flush(answerOf([DEF456, ABC123]));

    expect(stream().url).toBe(
      `/api/v1/stream?q=abc&status=connected&vin=${DEF456.vin}&vin=${ABC123.vin}&counts=true`,
    );
  });

  it('shows a change as soon as it is told, and asks for nothing', () => {
    open([ABC123, DEF456]);
    tell({ ...ABC123, status: 'disconnected' });
    wait(10_000);

    expect(live.vehicles()).toMatchObject([{ vin: ABC123.vin, status: 'disconnected' }, DEF456]);
    http.expectNone('/api/v1/vehicles');
  });

  it('asks once more when the stream opens: what happened until then it does not tell', () => {
    request().flush(answerOf([ABC123]));
    stream().opens();
    request().flush(answerOf([DEF456]));

    expect(live.vehicles()).toEqual([DEF456]);
  });

  it('counts as the stream counts', () => {
    open([ABC123, DEF456]);
    const facets = { status: { disconnected: 2 }, customers: [] };
    stream().says('counts', { ...answerOf([ABC123, DEF456]), facets });
    TestBed.tick();

    expect(live.snapshot()?.latest).toMatchObject({ total: 2, facets });
    wait(1000);
    http.expectNone('/api/v1/vehicles');
  });

  it.each<[string, string, object]>([
    ['a vehicle is gone', 'gone', { vin: DEF456.vin, position: 101 }],
    ['there is another vehicle', 'counts', answerOf([ABC123, DEF456, JKL012])],
    ['it belongs elsewhere', 'vehicle', told({ ...ABC123, registration_number: 'ZZZ999' })],
    ['the stream cannot tell all', 'reset', {}],
  ])('asks again when %s, once a second at most', (_what, type, data) => {
    open([ABC123, DEF456]);
    stream().says(type, data);
    stream().says('gone', { vin: DEF456.vin, position: 100 });
    request().flush(answerOf([ABC123]));
    wait(999);
    http.expectNone('/api/v1/vehicles');
    wait(1);
    request().flush(answerOf([ABC123], { position: 102 }));

    expect(live.vehicles()).toEqual([ABC123]);
  });

  it('does not take back what was told by a page that was made before', () => {
    open([ABC123]);
    stream().says('reset', {});
    const slow = request();
    tell({ ...ABC123, speed_kmh: 80 });
    slow.flush(answerOf([ABC123], { position: 100 }));

    expect(live.vehicles()).toMatchObject([{ speed_kmh: 80 }]);
  });

  it('follows other vehicles from where the stream was, when they come into view', () => {
    open([ABC123]);
    stream().says('gone', { vin: ABC123.vin, position: 101 }, 'c42');
    request().flush(answerOf([DEF456]));
    wait(1000);

    expect(stream().params.getAll('vin')).toEqual([DEF456.vin]);
    expect(stream().params.get('after')).toBe('c42');
    stream().opens();
    wait(1000);
    http.expectNone('/api/v1/vehicles');
  });

  it('asks now and then what no event tells, and more often who was seen last', () => {
    open([ABC123]);
    soundOff(60_000);
    request().flush(answerOf([ABC123]));

    query.set({ ...ALL_VEHICLES, sort: '-last_heartbeat_at' });
    TestBed.tick();
    open([ABC123]);
    soundOff(5000);
    request();
  });

  it('asks nothing while the tab is hidden, and at once when it is looked at again', () => {
    open([ABC123]);
    hideTab(true);
    wait(120_000);
    expect(FakeEventSource.listenedTo).toEqual([]);
    http.expectNone('/api/v1/vehicles');

    hideTab(false);
    open([DEF456]);
    expect(live.vehicles()).toEqual([DEF456]);
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
    TestBed.tick();

    expect(TestBed.inject(ServerClock).now()).toBe(Date.parse('2026-11-21T15:00:00Z'));
  });

  it('believes a page of an earlier position once the stream was lost: the log may be another', () => {
    open([ABC123]);
    tell({ ...ABC123, speed_kmh: 80 });
    stream().isRefused();
    wait(1000);
    request().flush(answerOf([ABC123], { position: 1 }));

    expect(live.vehicles()).toEqual([ABC123]);
    expect(live.snapshot()?.latest.position).toBe(1);
  });

  describe('when the read service is away', () => {
    it('keeps what it has, tries again ever less often up to 5 s, and recovers by itself', () => {
      open([ABC123]);
      stream().isRefused();
      for (const pause of [1000, 2000, 4000, 5000, 5000]) {
        wait(pause - 1);
        http.expectNone('/api/v1/vehicles');
        wait(1);
        request().flush(null, SERVER_ERROR);
        expect(live.failure()).toEqual({ kind: 'unreachable' });
        expect(live.vehicles()).toEqual([ABC123]);
      }
      wait(5000);
      open([DEF456]);
      expect(live.failure()).toBeNull();
      expect(live.vehicles()).toEqual([DEF456]);
    });

    it('leaves it to the browser to mend a connection that broke', () => {
      open([ABC123]);
      stream().says('counts', answerOf([ABC123]), 'c7');
      stream().breaks();
      wait(3000);
      stream().opens();
      wait(1000);

      http.expectNone('/api/v1/vehicles');
      expect(live.failure()).toBeNull();
    });

    it('notices that nothing is heard any more', () => {
      open([ABC123]);
      wait(13_999);
      expect(live.failure()).toBeNull();
      wait(1);
      expect(live.failure()).toEqual({ kind: 'unreachable' });
      expect(FakeEventSource.listenedTo).toEqual([]);

      wait(1000);
      open([ABC123]);
      expect(live.failure()).toBeNull();
    });

    it('asks every few seconds where no stream can be had', () => {
      for (const vehicles of [[ABC123], [DEF456], [JKL012]]) {
        request().flush(answerOf(vehicles));
        TestBed.tick();
        stream().isRefused();
        wait(4999);
        http.expectNone('/api/v1/vehicles');
        wait(1);
        expect(live.vehicles()).toEqual(vehicles);
        expect(live.failure()).toBeNull();
      }
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
    TestBed.tick();
    live.rowsInView.set({ start: 90, end: 100 });
    TestBed.tick();
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
    };

    beforeEach(() => {
      request().flush(answer(0, 'b'));
      TestBed.tick();
      stream().opens();
      request().flush(answer(0, 'b'));
      stream().says('counts', answer(0, null), 'c1');
      wait(1000);
    });

    it('fetches only the first page until somebody scrolls', () => {
      scrollTo(0, 40);
      wait(1000);

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

    it('fetches one page after the other while the end stays in view', () => {
      scrollTo(70, 200);
      request().flush(answer(0, 'b'));
      request().flush(answer(100, 'c'));
      TestBed.tick();
      request().flush(answer(0, 'b'));
      request().flush(answer(100, 'c'));
      request().flush(answer(200, null));

      expect(live.vehicles()).toHaveLength(300);
      wait(1000);
      request().flush(answer(0, 'b'));
      request().flush(answer(100, 'c'));
    });

    it('follows, and refreshes, only the pages in view', () => {
      scrollTo(70, 100);
      request().flush(answer(0, 'b'));
      request().flush(answer(100, 'c'));
      scrollTo(130, 170);
      const refresh = request();
      expect(cursorOf(refresh)).toBe('b');
      refresh.flush(answer(100, 'c'));
      wait(1000);

      expect(live.vehicles()).toHaveLength(200);
      expect(stream().params.getAll('vin')).toEqual(answer(100, null).items.map(({ vin }) => vin));
      expect(stream().params.get('after')).toBe('c1');
      http.expectNone('/api/v1/vehicles');
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
