import { TestBed } from '@angular/core/testing';

import { ServerClock } from './server-clock';

describe('ServerClock', () => {
  const noon = Date.parse('2026-11-21T12:00:00Z');

  beforeEach(() => {
    vi.useFakeTimers({ now: noon });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells the time of the server where the clock of the computer is wrong', () => {
    const clock = TestBed.inject(ServerClock);

    clock.synchronize('2026-11-21T15:00:00.250000Z');

    expect(new Date(clock.now()).toISOString()).toBe('2026-11-21T15:00:00.250Z');
  });

  it('ticks each second', () => {
    const clock = TestBed.inject(ServerClock);
    clock.synchronize('2026-11-21T15:00:00Z');

    vi.advanceTimersByTime(3000);

    expect(new Date(clock.now()).toISOString()).toBe('2026-11-21T15:00:03.000Z');
  });

  it('does not jump back and forth with the delays of the network', () => {
    const clock = TestBed.inject(ServerClock);
    clock.synchronize('2026-11-21T15:00:00Z');
    const before = clock.now();

    clock.synchronize('2026-11-21T14:59:59.700Z');

    expect(clock.now()).toBe(before);
  });
});
