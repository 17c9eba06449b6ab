import { AS_OF } from '../vehicles/fleet.fixture';
import { pageOf, TRACK, UNDER_WAY } from './history.fixture';
import { answered, lines, opened, PATH } from './vehicle-page.fixture';

const TRACK_PATH = '/api/v1/trips/to-the-pit/track';

describe('The trips of a vehicle', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse(AS_OF) });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('are listed with what is known of each', async () => {
    const dispatcher = await answered();

    expect(lines(dispatcher, 'trips', 'tbody tr')).toEqual([
      expect.stringMatching(/:00 \| under way \| 30 min \| – \| – \| – \| – \| derived$/),
      expect.stringMatching(
        /:00 \| 1 h 30 min \| 61\.2 km \| 41 km\/h \| 89 km\/h \| Astrid \| reported$/,
      ),
    ]);
  });

  it('show the track of the chosen one, to be taken along', async () => {
    const dispatcher = await answered();
    dispatcher.find('trips').querySelectorAll<HTMLElement>('tbody a')[1]?.click();
    await dispatcher.waits(0);
    expect(dispatcher.url()).toContain('?trip=to-the-pit');
    dispatcher.request(TRACK_PATH).flush(TRACK);
    await dispatcher.waits(0);

    expect(dispatcher.find('track').getAttribute('aria-label')).toMatch(
      /from 59\.0000° 18\.0000° to 59\.1000° 18\.2000°, north is up$/,
    );
    const links = [...dispatcher.screen.querySelectorAll('vt-trip-track a')];
    expect(links.map((link) => link.getAttribute('href'))).toEqual([
      `${TRACK_PATH}?format=geojson`,
      `${TRACK_PATH}?format=gpx`,
    ]);
  });

  it.each([
    ['no position', null, false],
    ['but one position', { type: 'Point', coordinates: [18, 59] }, true],
  ])('also have a track where the vehicle told %s', async (_what, geometry, drawn) => {
    const dispatcher = await answered('?trip=to-the-pit');
    dispatcher.request(TRACK_PATH).flush({ geometry, properties: UNDER_WAY });
    await dispatcher.waits(0);

    expect(dispatcher.screen.querySelector('[data-testid=track]') !== null).toBe(drawn);
    expect(dispatcher.sees('It told no positions on this trip')).toBe(!drawn);
  });

  it('may be none', async () => {
    const dispatcher = await opened();
    dispatcher.request(`${PATH}/trips`).flush(pageOf([]));
    await dispatcher.waits(0);

    expect(dispatcher.sees('No trips yet')).toBe(true);
  });
});
