import { TestBed } from '@angular/core/testing';

import { FakeEventSource } from '../api/event-source.fixture';
import { ABC123, answerOf, DEF456, JKL012, manyVehicles } from './fleet.fixture';
import { LiveFeed, SERVER_ERROR } from './live-vehicles.fixture';

describe('LiveVehicles while the read service is away', () => {
  let feed: LiveFeed;

  beforeEach(() => {
    feed = new LiveFeed();
  });

  afterEach(() => {
    feed.end();
  });

  it('keeps what it has, tries again ever less often up to 5 s, and recovers by itself', () => {
    feed.open([ABC123]);
    feed.stream().isRefused();
    for (const pause of [1000, 2000, 4000, 5000, 5000]) {
      feed.wait(pause - 1);
      feed.http.expectNone('/api/v1/vehicles');
      feed.wait(1);
      feed.request().flush(null, SERVER_ERROR);
      expect(feed.live.failure()).toEqual({ kind: 'unreachable' });
      expect(feed.live.vehicles()).toEqual([ABC123]);
    }
    feed.wait(5000);
    feed.open([DEF456]);
    expect(feed.live.failure()).toBeNull();
    expect(feed.live.vehicles()).toEqual([DEF456]);
  });

  it('leaves it to the browser to mend a connection that broke', () => {
    feed.open([ABC123]);
    feed.stream().says('counts', answerOf([ABC123]), 'c7');
    feed.stream().breaks();
    feed.wait(3000);
    feed.stream().opens();
    feed.wait(1000);

    feed.http.expectNone('/api/v1/vehicles');
    expect(feed.live.failure()).toBeNull();
  });

  it('notices that nothing is heard any more', () => {
    feed.open([ABC123]);
    feed.wait(13_999);
    expect(feed.live.failure()).toBeNull();
    feed.wait(1);
    expect(feed.live.failure()).toEqual({ kind: 'unreachable' });
    expect(FakeEventSource.listenedTo).toEqual([]);

    feed.wait(1000);
    feed.open([ABC123]);
    expect(feed.live.failure()).toBeNull();
  });

  it('asks every few seconds where no stream can be had', () => {
    for (const vehicles of [[ABC123], [DEF456], [JKL012]]) {
      feed.request().flush(answerOf(vehicles));
      TestBed.tick();
      feed.stream().isRefused();
      feed.wait(4999);
      feed.http.expectNone('/api/v1/vehicles');
      feed.wait(1);
      expect(feed.live.vehicles()).toEqual(vehicles);
      expect(feed.live.failure()).toBeNull();
    }
    feed.request();
  });

  it('gives up on an answer that does not come', () => {
    const hanging = feed.request();
    feed.wait(5000);

    expect(hanging.cancelled).toBe(true);
    expect(feed.live.failure()).toEqual({ kind: 'unreachable' });
  });

  it('starts over from the top when it is refused, for a cursor may have become void', () => {
    feed.request().flush(answerOf(manyVehicles(100), { total: 150, next_cursor: 'b' }));
    TestBed.tick();
    feed.live.rowsInView.set({ start: 90, end: 100 });
    TestBed.tick();
    feed.request().flush(answerOf(manyVehicles(100), { total: 150, next_cursor: 'b' }));
    const refused = { code: 'invalid_cursor', detail: 'The cursor is not valid.' };
    feed.request().flush(refused, { status: 422, statusText: 'Unprocessable Content' });

    expect(feed.live.failure()).toMatchObject({ kind: 'refused', reasons: [refused.detail] });
    expect(feed.live.snapshot()).toBeNull();
    feed.wait(1000);
    expect(feed.cursorOf(feed.request())).toBeNull();
  });
});
