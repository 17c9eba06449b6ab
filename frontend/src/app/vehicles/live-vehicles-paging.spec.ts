import { TestBed } from '@angular/core/testing';

import { answerOf, manyVehicles } from './fleet.fixture';
import { LiveFeed } from './live-vehicles.fixture';
import { ALL_VEHICLES } from './vehicle-query';

describe('LiveVehicles with more vehicles than one page', () => {
  let feed: LiveFeed;

  beforeEach(() => {
    feed = new LiveFeed();
  });

  afterEach(() => {
    feed.end();
  });

  const answer = (first: number, next: string | null): ReturnType<typeof answerOf> =>
    answerOf(manyVehicles(100, first), { total: 250, next_cursor: next });

  const scrollTo = (start: number, end: number): void => {
    feed.live.rowsInView.set({ start, end });
    TestBed.tick();
  };

  beforeEach(() => {
    feed.request().flush(answer(0, 'b'));
    TestBed.tick();
    feed.stream().opens();
    feed.request().flush(answer(0, 'b'));
    feed.stream().says('counts', answer(0, null), 'c1');
    feed.wait(1000);
  });

  it('fetches only the first page until somebody scrolls', () => {
    scrollTo(0, 40);
    feed.wait(1000);

    expect(feed.live.vehicles()).toHaveLength(100);
    feed.http.expectNone('/api/v1/vehicles');
  });

  it('fetches the next page at once when the end comes into view', () => {
    scrollTo(70, 100);
    feed.request().flush(answer(0, 'b'));
    const next = feed.request();
    expect(feed.cursorOf(next)).toBe('b');
    next.flush(answer(100, 'c'));

    expect(feed.live.vehicles()).toHaveLength(200);
  });

  it('fetches one page after the other while the end stays in view', () => {
    scrollTo(70, 200);
    feed.request().flush(answer(0, 'b'));
    feed.request().flush(answer(100, 'c'));
    TestBed.tick();
    feed.request().flush(answer(0, 'b'));
    feed.request().flush(answer(100, 'c'));
    feed.request().flush(answer(200, null));

    expect(feed.live.vehicles()).toHaveLength(300);
    feed.wait(1000);
    feed.request().flush(answer(0, 'b'));
    feed.request().flush(answer(100, 'c'));
  });

  it('follows, and refreshes, only the pages in view', () => {
    scrollTo(70, 100);
    feed.request().flush(answer(0, 'b'));
    feed.request().flush(answer(100, 'c'));
    scrollTo(130, 170);
    const refresh = feed.request();
    expect(feed.cursorOf(refresh)).toBe('b');
    refresh.flush(answer(100, 'c'));
    feed.wait(1000);

    expect(feed.live.vehicles()).toHaveLength(200);
    expect(feed.stream().params.getAll('vin')).toEqual(
      answer(100, null).items.map(({ vin }) => vin),
    );
    expect(feed.stream().params.get('after')).toBe('c1');
    feed.http.expectNone('/api/v1/vehicles');
  });

  it('begins at the top again with another query', () => {
    scrollTo(70, 100);
    feed.request().flush(answer(0, 'b'));
    feed.request().flush(answer(100, 'c'));
    feed.query.set({ ...ALL_VEHICLES, sort: 'vin' });
    TestBed.tick();

    const first = feed.request();
    expect(feed.cursorOf(first)).toBeNull();
    first.flush(answer(0, 'b'));
    expect(feed.live.vehicles()).toHaveLength(100);
  });
});
