import axe from 'axe-core';

import { Dispatcher } from './dispatcher.fixture';
import { ABC123, answerOf, AS_OF, DEF456, JKL012, manyVehicles } from './fleet.fixture';

const FLEET = answerOf([ABC123, DEF456, JKL012]);

/** It looks at everything, and a busy machine is slow. */
const AXE_MS = 30_000;

describe('The vehicles', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse(AS_OF) });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('are all there, with status, plate, VIN, customer and last seen', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(FLEET);

    expect(dispatcher.rows().map((row) => row.split(' | '))).toEqual([
      [
        expect.stringMatching(/^Connected since \d\d:\d\d$/),
        'ABC123',
        'YS2R4X20005399401',
        'Kalles Grustransporter AB',
        '14 s ago',
      ],
      [
        'Disconnected silent for 5 h 12 min',
        'DEF456',
        'VLUR4X20009093588',
        'Kalles Grustransporter AB',
        '5 h 12 min ago',
      ],
      ['Never seen since 1 Nov 2026', 'JKL012', 'YS2R4X20005388011', 'Johans Bulk AB', 'never'],
    ]);
    expect(dispatcher.text('total')).toBe('3');
  });

  it('may not tell since when', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(answerOf([{ ...ABC123, status_since: null }]));

    expect(dispatcher.rows()[0]).toMatch(/^Connected \|/);
  });

  it('were last seen a second longer ago each second, without asking the server', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(FLEET);
    await dispatcher.waits(3000);

    expect(dispatcher.text('last-seen')).toBe('17 s ago');
  });

  it('tell the exact time on request', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(FLEET);
    const time = dispatcher.find('last-seen').querySelector('time');

    expect(time?.dateTime).toBe(ABC123.last_heartbeat_at);
    expect(time?.title).toContain('21 November 2026');
  });

  it('keep their rows through a refresh, also when they change places', async () => {
    const dispatcher = await Dispatcher.opens('/');
    const rowOf = (vin: string): Element | null =>
      dispatcher.screen.querySelector(`[data-vin="${vin}"]`);
    await dispatcher.isAnswered(FLEET);
    const row = rowOf(ABC123.vin);
    await dispatcher.isTold('reset', {});
    await dispatcher.isAnswered(
      answerOf([{ ...DEF456 }, { ...ABC123, status: 'disconnected' }, { ...JKL012 }]),
    );

    expect(rowOf(ABC123.vin)).toBe(row);
    expect(row?.textContent).toContain('Disconnected');
    expect(dispatcher.rows()[1]).toContain('ABC123');
  });

  it('are counted per status, and filtered by pressing a count', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(
      answerOf([ABC123], { facets: { status: { connected: 12_345 }, customers: [] } }),
    );
    expect(dispatcher.text('count-connected')).toBe('12,345');
    expect(dispatcher.text('count-disconnected')).toBe('0');

    await dispatcher.presses('Never seen');
    expect(dispatcher.url()).toBe('/?status=never_seen');
    await dispatcher.presses('Disconnected');
    expect(dispatcher.url()).toBe('/?status=disconnected&status=never_seen');
    await dispatcher.presses('Never seen');
    expect(dispatcher.url()).toBe('/?status=disconnected');
    expect(dispatcher.request().request.params.getAll('status')).toEqual(['disconnected']);
  });

  it('are searched once the typing pauses; back undoes the search, not its letters', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(FLEET);
    await dispatcher.types('ab', 'search');
    expect(dispatcher.url()).toBe('/');
    await dispatcher.waits(200);
    expect(dispatcher.url()).toBe('/?q=ab');
    await dispatcher.types('abc ', 'search');
    await dispatcher.waits(200);
    expect(dispatcher.url()).toBe('/?q=abc');
    expect(dispatcher.field('search').value).toBe('abc ');

    await dispatcher.goesBack();
    expect(dispatcher.url()).toBe('/');
    expect(dispatcher.field('search').value).toBe('');
  });

  it('are filtered by several customers, who can be removed again', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(FLEET);
    await dispatcher.types('KÅLL', 'customer-filter');
    await dispatcher.presses('Kalles Grustransporter AB');
    await dispatcher.isAnswered(FLEET);
    await dispatcher.types('', 'customer-filter');
    await dispatcher.presses('Johans Bulk AB');
    expect(dispatcher.url()).toBe('/?customer_id=kalle&customer_id=johan');

    await dispatcher.isAnswered(answerOf([], { facets: { status: {}, customers: [] } }));
    await dispatcher.presses('Remove Kalles Grustransporter AB');
    expect(dispatcher.url()).toBe('/?customer_id=johan');
    expect(document.activeElement?.ariaLabel).toBe('Remove Johans Bulk AB');
    await dispatcher.presses('Remove Johans Bulk AB');
    expect(document.activeElement).toBe(dispatcher.find('customer-filter'));
  });

  it('name the chosen customer also where the counts leave it out', async () => {
    const dispatcher = await Dispatcher.opens('/?customer_id=johan');
    await dispatcher.isAnswered(answerOf([JKL012], { facets: { status: {}, customers: [] } }));

    expect(dispatcher.screen.querySelector('mat-chip')?.textContent).toContain('Johans Bulk AB');
  });

  it('are sorted by a column, then the other way round', async () => {
    const dispatcher = await Dispatcher.opens('/?q=a');
    await dispatcher.isAnswered(FLEET);
    await dispatcher.presses('Last seen');
    expect(dispatcher.url()).toBe('/?q=a&sort=-last_heartbeat_at');
    const header = dispatcher.screen.querySelector('[mat-sort-header=last_heartbeat_at]');
    expect(header?.getAttribute('aria-sort')).toBe('descending');

    await dispatcher.presses('Last seen');
    expect(dispatcher.url()).toBe('/?q=a&sort=last_heartbeat_at');
  });

  it('are those of a link that somebody shared', async () => {
    const dispatcher = await Dispatcher.opens('/?q=gravel&status=connected&customer_id=kalle');
    const { params } = dispatcher.request().request;

    expect(params.toString()).toContain('q=gravel&customer_id=kalle&status=connected');
    expect(dispatcher.field('search').value).toBe('gravel');
  });

  it('are drawn only as far as they can be seen', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(
      answerOf(manyVehicles(100), { total: 10_000, next_cursor: 'next' }),
    );

    expect(dispatcher.text('total')).toBe('10,000');
    expect(dispatcher.rows().length).toBeGreaterThan(5);
    expect(dispatcher.rows().length).toBeLessThan(50);
  });

  it('stay on the screen while the read service is away, with their age', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(FLEET);
    await dispatcher.waits(1000);
    await dispatcher.isTold('reset', {});
    await dispatcher.isLeftAlone();
    expect(dispatcher.text('stale-banner')).toMatch(
      /^Read service unreachable – showing data from \d\d:\d\d:\d\d \(1 s old\)\. Trying again…$/,
    );
    expect(dispatcher.rows()).toHaveLength(3);

    await dispatcher.waits(1000);
    await dispatcher.isAnswered(FLEET);
    expect(dispatcher.sees('unreachable')).toBe(false);
  });

  it('are not passed off as current while the read model is behind', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered({ ...FLEET, answered_at: '2026-11-21T12:00:37.000000Z' });
    expect(dispatcher.text('stale-banner')).toMatch(
      /^Read model behind – showing data from \d\d:\d\d:\d\d \(37 s old\)\. What came since/,
    );

    await dispatcher.isTold('counts', { ...FLEET, answered_at: '2026-11-21T12:00:04.000000Z' });
    expect(dispatcher.sees('behind')).toBe(false);
  });

  it('are not passed off as the answer to filters that could not be asked', async () => {
    const dispatcher = await Dispatcher.opens('/');
    await dispatcher.isAnswered(FLEET);
    await dispatcher.presses('Disconnected');
    await dispatcher.isLeftAlone();

    expect(dispatcher.text('stale-banner')).toContain('from before you changed the filters');
  });

  it('may be missing: none at all, or none for these filters', async () => {
    const none = await Dispatcher.opens('/');
    expect(none.screen.querySelector('mat-progress-bar')).not.toBeNull();
    await none.isAnswered(answerOf([]));
    expect(none.sees('No vehicles yet')).toBe(true);
    expect(none.screen.querySelector('mat-progress-bar')).toBeNull();

    await none.presses('Connected');
    await none.isAnswered(answerOf([]));
    expect(none.sees('No vehicle matches these filters')).toBe(true);
    await none.presses('Clear filters');
    expect(none.url()).toBe('/');
  });

  it('may be refused, for a reason', async () => {
    const dispatcher = await Dispatcher.opens('/?customer_id=nobody');
    await dispatcher.isRefused({
      code: 'invalid_request',
      detail: 'The request is not valid.',
      errors: { customer_id: ['Not a UUID.'] },
    });

    expect(dispatcher.sees('customer_id: Not a UUID.')).toBe(true);
  });

  it('are searched from the keyboard with a slash', async () => {
    const dispatcher = await Dispatcher.opens('/');
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }));

    expect(document.activeElement).toBe(dispatcher.find('search'));
  });

  it('are reached past the filters', async () => {
    const dispatcher = await Dispatcher.opens('/?q=a');
    await dispatcher.isAnswered(FLEET);
    dispatcher.screen.querySelector<HTMLElement>('.skip-link')?.click();

    expect(document.activeElement?.tagName).toBe('CDK-VIRTUAL-SCROLL-VIEWPORT');
    expect(dispatcher.url()).toBe('/?q=a');
  });

  it('are announced to a screen reader when counts change, but not all the time', async () => {
    const dispatcher = await Dispatcher.opens('/');
    const announced = (): string | undefined =>
      document.querySelector('.cdk-live-announcer-element')?.textContent;
    await dispatcher.isAnswered(FLEET);
    await dispatcher.waits(200);
    expect(announced()).toBe('3 vehicles. By status: 1 connected, 1 disconnected, 1 never seen.');

    await dispatcher.waits(800);
    await dispatcher.isTold('counts', answerOf([ABC123]));
    await dispatcher.waits(200);
    expect(announced()).toContain('3 vehicles');
    await dispatcher.waits(800);
    await dispatcher.isLeftAlone();
    await dispatcher.waits(200);
    expect(announced()).toContain('Read service unreachable. Showing data from');
    await dispatcher.waits(30_000);
    expect(announced()).toContain('1 vehicle.');
  });

  it.each([
    ['with vehicles', '/?status=connected&customer_id=kalle', FLEET],
    ['with none', '/?q=zzz', answerOf([])],
  ])(
    'are accessible %s',
    async (_what, url, answer) => {
      const dispatcher = await Dispatcher.opens(url);
      await dispatcher.isAnswered(answer);
      vi.useRealTimers();
      // jsdom draws nothing, so there are no colours to compare.
      const { violations } = await axe.run(dispatcher.screen, {
        rules: { 'color-contrast': { enabled: false } },
      });

      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    },
    AXE_MS,
  );
});
