import { AS_OF } from '../vehicles/fleet.fixture';
import { AVAILABILITY } from './history.fixture';
import { answered, opened, PATH } from './vehicle-page.fixture';

describe('The availability of a vehicle', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse(AS_OF) });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('says how long it was connected, and tells each silence', async () => {
    const dispatcher = await answered();

    expect(dispatcher.text('availability')).toBe('99.2 % connected');
    expect(dispatcher.screen.querySelectorAll('rect.disconnected')).toHaveLength(1);
    expect(dispatcher.screen.textContent).toMatch(
      /21 Nov 2026, \d\d:\d\d:00 – \d\d:\d\d:00\s+\(11 min\)/,
    );
    const link = dispatcher.screen.querySelector<HTMLAnchorElement>('vt-availability a');
    expect(link?.getAttribute('href')).toBe(
      `${PATH}/availability?from=2026-11-20T12%3A00%3A00Z&to=2026-11-21T12%3A00%3A00Z&format=csv`,
    );
  });

  it('is that of the last 24 hours, or of the period in the address', async () => {
    const dispatcher = await opened('?period=7d');
    const from = (): string | null =>
      dispatcher.request(`${PATH}/availability`).request.params.get('from');
    expect(from()).toBe('2026-11-14T12:00:00.000Z');

    await dispatcher.presses('Last 24 hours');
    expect(dispatcher.url()).toContain('?period=24h');
    expect(from()).toBe('2026-11-20T12:00:00.000Z');
  });

  it('tells a silence that goes on, and of many only the newest', async () => {
    const dispatcher = await opened();
    const hour = (value: number): string => new Date(value * 3_600_000).toISOString();
    dispatcher.request(`${PATH}/availability`).flush({
      ...AVAILABILITY,
      from: hour(0),
      to: hour(24),
      intervals: Array.from({ length: 24 }, (_, index) => ({
        from: hour(index),
        to: hour(index + 1),
        status: index % 2 === 0 ? 'connected' : 'disconnected',
      })),
    });
    await dispatcher.waits(0);

    expect(dispatcher.screen.querySelector('vt-availability li')?.textContent).toContain(
      '– now (1 h)',
    );
    expect(dispatcher.sees('and 2 before: see the CSV')).toBe(true);
  });

  it('may be nothing to speak of', async () => {
    const dispatcher = await opened();
    dispatcher
      .request(`${PATH}/availability`)
      .flush({ ...AVAILABILITY, connected_share: null, intervals: [] });
    await dispatcher.waits(0);

    expect(dispatcher.text('availability')).toBe('Nothing to say yet');
    expect(dispatcher.sees('No silence')).toBe(true);
  });
});
