import axe from 'axe-core';

import { FakeEventSource } from '../api/event-source.fixture';
import { ABC123, answerOf, AS_OF } from '../vehicles/fleet.fixture';
import { Dispatcher } from '../vehicles/dispatcher.fixture';
import { DETAILS, pageOf, TIMELINE } from './history.fixture';
import { answered, lines, opened, PATH } from './vehicle-page.fixture';

const UNKNOWN = { status: 404, statusText: 'Not Found' };
const NOBODY = { code: 'unknown_vehicle', detail: 'There is no such vehicle.' };

/** It looks at everything, and a busy machine is slow. */
const AXE_MS = 30_000;

describe('The page of a vehicle', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse(AS_OF) });
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('is opened from the list by its plate, and leads back to the same list', async () => {
    const dispatcher = await Dispatcher.opens('/?q=abc&sort=-vin');
    await dispatcher.isAnswered(answerOf([ABC123]));
    dispatcher.find('vehicle-link').click();
    await vi.waitFor(() => {
      expect(dispatcher.url()).toBe(`/vehicles/${ABC123.vin}?q=abc&sort=-vin`);
    });
    await dispatcher.waits(0);
    await dispatcher.presses('Last 7 days');

    dispatcher.find('back').click();
    await dispatcher.waits(0);
    expect(dispatcher.url()).toBe('/?q=abc&sort=-vin');
  });

  it('tells how the vehicle is, since when, and by which limit', async () => {
    const dispatcher = await answered();

    expect(dispatcher.text('status')).toBe('Connected');
    expect(dispatcher.text('since')).toMatch(/^since 21 Nov 2026, \d\d:\d\d:30, for 2 h 47 min$/);
    expect(dispatcher.text('last-seen')).toBe('14 s ago');
    expect(dispatcher.sees('disconnected after 2 min of silence')).toBe(true);
    expect(dispatcher.sees('Södertälje')).toBe(true);
  });

  it('leads to all vehicles of the same customer', async () => {
    const dispatcher = await answered();
    const links = [...dispatcher.screen.querySelectorAll('a')].map(({ href, textContent }) => [
      textContent,
      href,
    ]);

    expect(links).toContainEqual([
      'Kalles Grustransporter AB',
      expect.stringMatching(/\/\?customer_id=kalle$/),
    ]);
  });

  describe('shows a timeline', () => {
    it('in words, the newest first', async () => {
      const dispatcher = await answered();
      const told = lines(dispatcher, 'timeline', 'li');

      expect(told[0]).toMatch(/^21 Nov 2026, \d\d:\d\d:00 \| Connected: heard at \d\d:\d\d:00$/);
      expect(told[1]).toMatch(/ \| Disconnected: nothing heard since \d\d:\d\d:00$/);
      expect(told).toHaveLength(6);
    });

    it('that goes back as far as somebody wants', async () => {
      const dispatcher = await answered();
      await dispatcher.presses('Older');
      dispatcher.request(`${PATH}/timeline`).flush(pageOf(TIMELINE.slice(0, 5), 'older'));
      const older = dispatcher.request(`${PATH}/timeline`);
      expect(older.request.params.get('cursor')).toBe('older');
      older.flush(pageOf(TIMELINE.slice(5)));
      await dispatcher.waits(0);

      expect(lines(dispatcher, 'timeline', 'li')).toHaveLength(6);
      expect(dispatcher.screen.querySelector('vt-timeline button')).toBeNull();
    });
  });

  describe('keeps up', () => {
    it('by asking again when the stream tells of this vehicle, but not all the time', async () => {
      const dispatcher = await answered();
      const stream = FakeEventSource.only;
      expect(stream.params.getAll('vin')).toEqual([ABC123.vin]);
      await dispatcher.waits(6000);
      stream.says('vehicle', { vehicle: ABC123 });
      stream.says('vehicle', { vehicle: ABC123 });
      await dispatcher.waits(0);

      dispatcher.request(PATH).flush({ ...DETAILS, status: 'disconnected' });
      await dispatcher.waits(0);
      expect(dispatcher.text('status')).toBe('Disconnected');
      expect(dispatcher.text('since')).toMatch(/^silent for 20 s, disconnected since 21 Nov/);
      stream.says('counts', { total: 7 });
      await dispatcher.waits(5000);
      dispatcher.request(PATH);
    });

    it('by opening the stream anew when it was lost', async () => {
      const dispatcher = await answered();
      FakeEventSource.only.isRefused();
      await dispatcher.waits(5000);

      FakeEventSource.only.opens();
      await dispatcher.waits(0);
      dispatcher.request(PATH);
    });

    it('only while somebody looks', async () => {
      const dispatcher = await answered();
      const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
      document.dispatchEvent(new Event('visibilitychange'));
      expect(FakeEventSource.listenedTo).toEqual([]);

      hidden.mockReturnValue(false);
      document.dispatchEvent(new Event('visibilitychange'));
      FakeEventSource.only.opens();
      await dispatcher.waits(0);
      dispatcher.request(PATH);
    });
  });

  it('keeps what it has while the read service is away, part by part, and recovers', async () => {
    const dispatcher = await answered();
    FakeEventSource.only.opens();
    await dispatcher.waits(0);
    dispatcher.request(`${PATH}/timeline`).error(new ProgressEvent('error'));
    await dispatcher.waits(0);
    expect(dispatcher.sees('Read service unreachable: this is how it was last')).toBe(true);
    expect(lines(dispatcher, 'timeline', 'li')).toHaveLength(6);

    await dispatcher.waits(1000);
    dispatcher.request(`${PATH}/timeline`).flush(pageOf([]));
    await dispatcher.waits(0);
    expect(dispatcher.sees('unreachable')).toBe(false);
    expect(dispatcher.sees('Nothing has happened yet')).toBe(true);
  });

  it('says what is refused, and why', async () => {
    const dispatcher = await opened();
    const away = { code: 'invalid_request', detail: 'No.', errors: { from: ['Not like that.'] } };
    dispatcher
      .request(`${PATH}/availability`)
      .flush(away, { status: 422, statusText: 'Unprocessable Content' });
    await dispatcher.waits(0);

    expect(dispatcher.sees('refused to show the availability: from: Not like that.')).toBe(true);
  });

  it('says that there is no such vehicle, with a way back, and shows what is known of it', async () => {
    const dispatcher = await opened('?q=abc');
    dispatcher.request(PATH).flush(NOBODY, UNKNOWN);
    dispatcher.request(`${PATH}/trips`).flush(NOBODY, UNKNOWN);
    dispatcher.request(`${PATH}/timeline`).flush(pageOf(TIMELINE));
    await dispatcher.waits(0);

    expect(dispatcher.text('unknown')).toContain(`No vehicle in use has the VIN ${ABC123.vin}`);
    expect(dispatcher.find('unknown').querySelector('a')?.getAttribute('href')).toBe('/?q=abc');
    expect(dispatcher.screen.querySelector<HTMLElement>('vt-trips')?.hidden).toBe(true);
    expect(lines(dispatcher, 'timeline', 'li')).toHaveLength(6);
  });

  it.each([
    ['loading', () => opened()],
    ['complete', () => answered('?trip=to-the-pit')],
  ])(
    'is accessible: %s',
    async (_what, open) => {
      const dispatcher = await open();
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
