import { Counts, Vehicle, VehicleSort } from '../api/contract';
import { StreamEvent } from '../api/vehicle-stream';
import { ABC123, answerOf, AS_OF, DEF456, JKL012 } from './fleet.fixture';
import { movesRows, Snapshot, withEvent, withPage } from './snapshot';
import { ALL_VEHICLES } from './vehicle-query';

const VEHICLES = [ABC123, DEF456];
const AFTER = '2026-11-21T12:00:01Z';

function snapshotOf(sort: VehicleSort = 'registration_number'): Snapshot {
  const query = { ...ALL_VEHICLES, sort };
  return withPage(null, query, 0, { cursor: null, answer: answerOf(VEHICLES) });
}

function told(vehicle: Vehicle): StreamEvent {
  const at = { position: 110, as_of: AFTER, answered_at: AFTER };
  return { type: 'vehicle', cursor: 'c', vehicle, ...at };
}

function counted(counts: Partial<Counts>): StreamEvent {
  return { type: 'counts', cursor: 'c', ...answerOf(VEHICLES), ...counts };
}

const gone: StreamEvent = { type: 'gone', vin: ABC123.vin, position: 110, cursor: 'c' };

const shown = ({ pages }: Snapshot): unknown => pages.flatMap(({ answer }) => answer.items);

describe('What the stream tells', () => {
  const faster = { ...ABC123, speed_kmh: 90 };

  it('is put in its place, with its time', () => {
    const snapshot = withEvent(snapshotOf(), told(faster));

    expect(shown(snapshot)).toEqual([faster, DEF456]);
    expect(snapshot.latest).toMatchObject({ total: 2, as_of: AFTER });
  });

  it('changes nothing where the vehicle is not loaded', () => {
    expect(shown(withEvent(snapshotOf(), told(JKL012)))).toEqual(VEHICLES);
  });

  it('are counts, too', () => {
    expect(withEvent(snapshotOf(), counted({ total: 3 })).latest.total).toBe(3);
  });

  it('may be that it is behind', () => {
    const behind: StreamEvent = { type: 'behind', as_of: AS_OF, answered_at: AFTER, cursor: 'c' };

    expect(withEvent(snapshotOf(), behind).latest.answered_at).toBe(AFTER);
    expect(movesRows(snapshotOf(), behind)).toBe(false);
  });

  it('may be about none of the vehicles', () => {
    const snapshot = snapshotOf();

    expect(withEvent(snapshot, { type: 'reset', cursor: 'c' })).toBe(snapshot);
  });

  it('may be that one is gone', () => {
    const snapshot = withEvent(snapshotOf(), gone);

    expect(shown(snapshot)).toEqual([DEF456]);
  });

  it.each([
    ['older', 109, [{ speed_kmh: 90 }], 110],
    ['as old', 110, [ABC123, DEF456], 110],
    ['younger', 111, [ABC123, DEF456], 111],
  ])('holds against a page that is %s', (_what, position, vehicles, latest) => {
    const heard = withEvent(withEvent(snapshotOf(), told(faster)), { ...gone, vin: DEF456.vin });
    const answer = answerOf(VEHICLES, { position });
    const snapshot = withPage(heard, heard.query, 0, { cursor: null, answer });

    expect(shown(snapshot)).toMatchObject(vehicles);
    expect(snapshot.latest.position).toBe(latest);
  });
});

describe('Rows may have moved', () => {
  const moved = { ...ABC123, customer: JKL012.customer };
  const facets = answerOf(VEHICLES).facets;

  it.each<[boolean, string, VehicleSort, StreamEvent]>([
    [
      false,
      'a heartbeat came',
      'registration_number',
      told({ ...ABC123, last_heartbeat_at: AS_OF }),
    ],
    [true, 'a heartbeat came', '-last_heartbeat_at', told({ ...ABC123, last_heartbeat_at: AS_OF })],
    [false, 'it moved to another customer', 'vin', told(moved)],
    [true, 'it moved to another customer', 'customer', told(moved)],
    [false, 'a vehicle far down changed', 'status', told(JKL012)],
    [false, 'counts are as before', 'status', counted({})],
    [true, 'there is one more', 'vin', counted({ total: 3 })],
    [false, 'one is silent', 'vin', counted({ facets: { ...facets, status: {} } })],
    [true, 'one is silent', '-status', counted({ facets: { ...facets, status: {} } })],
    [false, 'one moved', 'vin', counted({ facets: { ...facets, customers: [] } })],
    [true, 'one moved', 'customer', counted({ facets: { ...facets, customers: [] } })],
    [true, 'one is gone', 'vin', gone],
    [true, 'the stream began', 'vin', { type: 'opened', cursor: '' }],
    [false, 'the stream went on', 'vin', { type: 'opened', cursor: 'c' }],
  ])('%s: %s, sorted by %s', (moves, _what, sort, event) => {
    expect(movesRows(snapshotOf(sort), event)).toBe(moves);
  });
});
