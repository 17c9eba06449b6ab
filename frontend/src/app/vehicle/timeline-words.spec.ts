import { TimelineItem } from '../api/history';
import { KALLE } from '../vehicles/fleet.fixture';
import { inWords } from './timeline-words';

const at = '2026-11-21T10:05:12Z';
const plate = { registration_number: 'ABC123', customer: KALLE };

describe('The timeline in words', () => {
  it.each<[object, RegExp]>([
    [{ type: 'registered', ...plate }, /^Registered as ABC123 of Kalles Grustransporter AB$/],
    [{ type: 'recommissioned', ...plate }, /^In use again, as ABC123 of Kalles/],
    [{ type: 'decommissioned' }, /^Taken out of use$/],
    [{ type: 'registration_number_changed', ...plate }, /^New plate: ABC123$/],
    [{ type: 'moved_customer', customer: KALLE }, /^Moved to Kalles Grustransporter AB$/],
    [{ type: 'labels_changed', labels: { depot: 'Gävle' } }, /^Labels are now depot Gävle$/],
    [{ type: 'labels_changed', labels: {} }, /^All labels removed$/],
    [{ type: 'disconnect_after_changed', disconnect_after_s: 300 }, /after 5 min of silence$/],
    [{ type: 'disconnect_after_changed', disconnect_after_s: null }, /^No limit of its own/],
    [{ type: 'connected', recorded_at: at }, /^Connected: heard at \d\d:\d\d:12$/],
    [
      { type: 'disconnected', recorded_at: '2026-11-21T10:03:12Z' },
      /^Disconnected: nothing heard since \d\d:\d\d:12$/,
    ],
    [
      { type: 'connection_mended', until: '2026-11-23T10:14:00Z' },
      /^Late heartbeats: it was connected until 23 Nov 2026, \d\d:\d\d:00 after all$/,
    ],
    [{ type: 'trip_started', trip_id: 't', driver: 'Astrid' }, /^Trip started, driver Astrid$/],
    [{ type: 'trip_started', trip_id: 't', driver: null }, /^Trip started$/],
    [{ type: 'trip_ended', trip_id: 't' }, /^Trip ended$/],
    [{ type: 'painted_red' }, /^painted red$/],
  ])('tells %j', (item, words) => {
    expect(inWords({ at, ...item } as TimelineItem)).toMatch(words);
  });
});
