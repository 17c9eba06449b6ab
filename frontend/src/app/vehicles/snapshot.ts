import { Counts, Vehicle } from '../api/contract';
import { GoneTold, StreamEvent, VehicleTold } from '../api/vehicle-stream';
import { eachPage, Page, replacePage, vehiclesOf } from './pages';
import { VehicleQuery } from './vehicle-query';

/** What the read service said last, page by page and by the stream, and the query that it answered. */
export interface Snapshot {
  readonly query: VehicleQuery;
  readonly pages: readonly Page[];
  readonly latest: Counts;
  /** What the stream told, by VIN: a page that was made before that must not take it back. */
  readonly told: ReadonlyMap<string, VehicleTold | GoneTold>;
}

/** The snapshot with an answer in the place of the page that has this index. */
export function withPage(
  snapshot: Snapshot | null,
  query: VehicleQuery,
  index: number,
  page: Page,
): Snapshot {
  const { pages = [], told = new Map<string, never>(), latest } = snapshot ?? {};
  const { answer } = page;
  const items = answer.items.flatMap((vehicle) => {
    const later = told.get(vehicle.vin);
    return later === undefined || later.position <= answer.position ? [vehicle] : shown(later);
  });
  return {
    query,
    told,
    pages: replacePage(pages, index, { ...page, answer: { ...answer, items } }),
    latest: latest === undefined || latest.position <= answer.position ? answer : latest,
  };
}

/** The snapshot with what the stream told. */
export function withEvent(snapshot: Snapshot, event: StreamEvent): Snapshot {
  switch (event.type) {
    case 'vehicle': {
      const { vehicle, position, as_of, answered_at } = event;
      return {
        ...snapshot,
        pages: replaced(snapshot.pages, vehicle.vin, event),
        told: new Map(snapshot.told).set(vehicle.vin, event),
        latest: { ...snapshot.latest, position, as_of, answered_at },
      };
    }
    case 'gone':
      return {
        ...snapshot,
        pages: replaced(snapshot.pages, event.vin, event),
        told: new Map(snapshot.told).set(event.vin, event),
      };
    case 'counts':
      return { ...snapshot, latest: event };
    case 'behind': {
      const { as_of, answered_at } = event;
      return { ...snapshot, latest: { ...snapshot.latest, as_of, answered_at } };
    }
    default:
      return snapshot;
  }
}

/** The snapshot as something to show until there is an answer: perhaps of another log, it proves nothing any more. */
export function outdated(snapshot: Snapshot): Snapshot {
  return { ...snapshot, told: new Map(), latest: { ...snapshot.latest, position: 0 } };
}

/** Whether other vehicles may now be in view, or in another order: only the read service can tell which. */
export function movesRows({ query, pages, latest }: Snapshot, event: StreamEvent): boolean {
  const sortedBy = query.sort.replace('-', '');
  switch (event.type) {
    case 'vehicle': {
      const before = vehiclesOf(pages).find(({ vin }) => vin === event.vehicle.vin);
      return before !== undefined && !same(key(before, sortedBy), key(event.vehicle, sortedBy));
    }
    case 'counts':
      return (
        event.total !== latest.total ||
        (sortedBy === 'status' && !same(event.facets.status, latest.facets.status)) ||
        (sortedBy === 'customer' && !same(event.facets.customers, latest.facets.customers))
      );
    case 'opened':
      // What happened between the answer and the stream is told by neither; a stream that goes on tells all.
      return event.cursor === '';
    case 'behind':
      return false;
    default:
      return true;
  }
}

function key(vehicle: Vehicle, sortedBy: string): unknown {
  return vehicle[sortedBy as keyof Vehicle];
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function replaced(
  pages: readonly Page[],
  vin: string,
  told: VehicleTold | GoneTold,
): readonly Page[] {
  return eachPage(pages, (vehicles) =>
    vehicles.flatMap((vehicle) => (vehicle.vin === vin ? shown(told) : [vehicle])),
  );
}

function shown(told: VehicleTold | GoneTold): readonly Vehicle[] {
  return told.type === 'vehicle' ? [told.vehicle] : [];
}
