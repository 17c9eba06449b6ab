import { TestBed } from '@angular/core/testing';

import { FakeEventSource } from './event-source.fixture';
import { SILENCE_MS, StreamEvent, StreamLost, VehicleStream } from './vehicle-stream';

describe('The stream', () => {
  const heard: StreamEvent[] = [];
  const lost: StreamLost[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    FakeEventSource.install();
    heard.length = 0;
    lost.length = 0;
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const follow = (after?: string): { unsubscribe: () => void } =>
    TestBed.inject(VehicleStream)
      .follow({ q: 'å', vin: ['a', 'b'], counts: true, ...(after !== undefined && { after }) })
      .subscribe({
        next: (event) => heard.push(event),
        error: (error: StreamLost) => lost.push(error),
      });

  it('is asked for certain vehicles, from where an earlier one was', () => {
    follow('c1');

    expect(FakeEventSource.only.url).toBe(
      '/api/v1/stream?q=%C3%A5&vin=a&vin=b&counts=true&after=c1',
    );
  });

  it('tells what it is told, and where to go on', () => {
    follow();
    FakeEventSource.only.opens();
    FakeEventSource.only.says('gone', { vin: 'a' }, 'c2');
    FakeEventSource.only.says('something_new', {}, 'c3');

    expect(heard).toEqual([
      { type: 'opened', cursor: '' },
      { type: 'gone', vin: 'a', cursor: 'c2' },
    ]);
  });

  it('goes on by itself where the connection breaks', () => {
    follow('c1');
    FakeEventSource.only.opens();
    FakeEventSource.only.breaks();
    FakeEventSource.only.opens();

    expect(heard).toEqual([
      { type: 'opened', cursor: 'c1' },
      { type: 'opened', cursor: 'c1' },
    ]);
    expect(lost).toEqual([]);
  });

  it.each<[StreamLost['reason'], () => void]>([
    [
      'refused',
      (): void => {
        FakeEventSource.only.isRefused();
      },
    ],
    [
      'closed',
      (): void => {
        FakeEventSource.only.opens();
        FakeEventSource.only.isRefused();
      },
    ],
    [
      'silent',
      (): void => {
        FakeEventSource.only.opens();
        vi.advanceTimersByTime(SILENCE_MS);
      },
    ],
  ])('may be lost: %s', (reason, lose) => {
    follow();
    lose();

    expect(lost.map((error) => error.reason)).toEqual([reason]);
    expect(FakeEventSource.listenedTo).toEqual([]);
  });

  it('is refused by a proxy that lets nothing through', () => {
    follow();
    vi.advanceTimersByTime(SILENCE_MS);

    expect(lost.map((error) => error.reason)).toEqual(['refused']);
  });

  it('is closed when nobody listens', () => {
    follow().unsubscribe();

    expect(FakeEventSource.listenedTo).toEqual([]);
  });
});
