import { TestBed } from '@angular/core/testing';

import { Status } from '../api/contract';
import { FakeEventSource } from '../api/event-source.fixture';
import { ServerClock } from '../time/server-clock';
import { ABC123, answerOf, DEF456, JKL012 } from './fleet.fixture';
import { LiveFeed, told } from './live-vehicles.fixture';
import { ALL_VEHICLES } from './vehicle-query';

describe('LiveVehicles', () => {
  let feed: LiveFeed;

  beforeEach(() => {
    feed = new LiveFeed();
  });

  afterEach(() => {
    feed.end();
  });

  it('asks for what the URL says', () => {
    feed.request().flush(answerOf([ABC123]));

    const statuses: readonly Status[] = ['connected', 'never_seen'];
    feed.query.set({ q: 'abc', customerIds: ['kalle', 'johan'], statuses, sort: '-vin' });
    TestBed.tick();

    expect(feed.request().request.params.toString()).toBe(
      'q=abc&customer_id=kalle&customer_id=johan&status=connected&status=never_seen&sort=-vin&limit=50',
    );
  });

  it('follows the stream for the vehicles in view, under the filters of the list', () => {
    feed.request().flush(answerOf([]));
    feed.query.set({ ...ALL_VEHICLES, q: 'abc', statuses: ['connected'], sort: '-vin' });
    TestBed.tick();
    feed.request().flush(answerOf([DEF456, ABC123]));

    expect(feed.stream().url).toBe(
      `/api/v1/stream?q=abc&status=connected&vin=${DEF456.vin}&vin=${ABC123.vin}&counts=true`,
    );
  });

  it('shows a change as soon as it is told, and asks for nothing', () => {
    feed.open([ABC123, DEF456]);
    feed.tell({ ...ABC123, status: 'disconnected' });
    feed.wait(10_000);

    expect(feed.live.vehicles()).toMatchObject([
      { vin: ABC123.vin, status: 'disconnected' },
      DEF456,
    ]);
    feed.http.expectNone('/api/v1/vehicles');
  });

  it('asks once more when the stream opens: what happened until then it does not tell', () => {
    feed.request().flush(answerOf([ABC123]));
    feed.stream().opens();
    feed.request().flush(answerOf([DEF456]));

    expect(feed.live.vehicles()).toEqual([DEF456]);
  });

  it('counts as the stream counts', () => {
    feed.open([ABC123, DEF456]);
    const facets = { status: { disconnected: 2 }, customers: [] };
    feed.stream().says('counts', { ...answerOf([ABC123, DEF456]), facets });
    TestBed.tick();

    expect(feed.live.snapshot()?.latest).toMatchObject({ total: 2, facets });
    feed.wait(1000);
    feed.http.expectNone('/api/v1/vehicles');
  });

  it.each<[string, string, object]>([
    ['a vehicle is gone', 'gone', { vin: DEF456.vin, position: 101 }],
    ['there is another vehicle', 'counts', answerOf([ABC123, DEF456, JKL012])],
    ['it belongs elsewhere', 'vehicle', told({ ...ABC123, registration_number: 'ZZZ999' })],
    ['the stream cannot tell all', 'reset', {}],
  ])('asks again when %s, once a second at most', (_what, type, data) => {
    feed.open([ABC123, DEF456]);
    feed.stream().says(type, data);
    feed.stream().says('gone', { vin: DEF456.vin, position: 100 });
    feed.request().flush(answerOf([ABC123]));
    feed.wait(999);
    feed.http.expectNone('/api/v1/vehicles');
    feed.wait(1);
    feed.request().flush(answerOf([ABC123], { position: 102 }));

    expect(feed.live.vehicles()).toEqual([ABC123]);
  });

  it('does not take back what was told by a page that was made before', () => {
    feed.open([ABC123]);
    feed.stream().says('reset', {});
    const slow = feed.request();
    feed.tell({ ...ABC123, speed_kmh: 80 });
    slow.flush(answerOf([ABC123], { position: 100 }));

    expect(feed.live.vehicles()).toMatchObject([{ speed_kmh: 80 }]);
  });

  it('follows other vehicles from where the stream was, when they come into view', () => {
    feed.open([ABC123]);
    feed.stream().says('gone', { vin: ABC123.vin, position: 101 }, 'c42');
    feed.request().flush(answerOf([DEF456]));
    feed.wait(1000);

    expect(feed.stream().params.getAll('vin')).toEqual([DEF456.vin]);
    expect(feed.stream().params.get('after')).toBe('c42');
    feed.stream().opens();
    feed.wait(1000);
    feed.http.expectNone('/api/v1/vehicles');
  });

  it('asks now and then what no event tells, and more often who was seen last', () => {
    feed.open([ABC123]);
    feed.soundOff(60_000);
    feed.request().flush(answerOf([ABC123]));

    feed.query.set({ ...ALL_VEHICLES, sort: '-last_heartbeat_at' });
    TestBed.tick();
    feed.open([ABC123]);
    feed.soundOff(5000);
    feed.request();
  });

  it('asks nothing while the tab is hidden, and at once when it is looked at again', () => {
    feed.open([ABC123]);
    feed.hideTab(true);
    feed.wait(120_000);
    expect(FakeEventSource.listenedTo).toEqual([]);
    feed.http.expectNone('/api/v1/vehicles');

    feed.hideTab(false);
    feed.open([DEF456]);
    expect(feed.live.vehicles()).toEqual([DEF456]);
  });

  it('drops an answer that nobody waits for any more', () => {
    const slow = feed.request();
    feed.query.set({ ...ALL_VEHICLES, q: 'def' });
    TestBed.tick();

    expect(slow.cancelled).toBe(true);
    feed.http.expectOne(({ params }) => params.get('q') === 'def').flush(answerOf([DEF456]));
    expect(feed.live.vehicles()).toEqual([DEF456]);
  });

  it('is loading until there is an answer to the query, and keeps the former one meanwhile', () => {
    expect(feed.live.loading()).toBe(true);
    feed.request().flush(answerOf([ABC123]));
    expect(feed.live.loading()).toBe(false);

    feed.query.set({ ...ALL_VEHICLES, q: 'def' });
    TestBed.tick();
    expect(feed.live.loading()).toBe(true);
    expect(feed.live.vehicles()).toEqual([ABC123]);
    feed.request();
  });

  it('sets the clock by the server', () => {
    feed.request().flush(answerOf([], { answered_at: '2026-11-21T15:00:00Z' }));
    TestBed.tick();

    expect(TestBed.inject(ServerClock).now()).toBe(Date.parse('2026-11-21T15:00:00Z'));
  });

  it('believes a page of an earlier position once the stream was lost: the log may be another', () => {
    feed.open([ABC123]);
    feed.tell({ ...ABC123, speed_kmh: 80 });
    feed.stream().isRefused();
    feed.wait(1000);
    feed.request().flush(answerOf([ABC123], { position: 1 }));

    expect(feed.live.vehicles()).toEqual([ABC123]);
    expect(feed.live.snapshot()?.latest.position).toBe(1);
  });
});
