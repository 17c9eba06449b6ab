import { AsOf, Counts, Vehicle } from '../api/contract';
import { StreamEvent, VehicleTold } from '../api/vehicle-stream';
import { Page, replacePage, replaceVehicle, vehiclesOf } from './pages';
import { VehicleQuery } from './vehicle-query';

/** What the read service said last, page by page and by the stream, and the query that it answered. */
export interface Snapshot {
  readonly query: VehicleQuery;
  readonly pages: readonly Page[];
  readonly latest: Counts;
  /** What the stream told, by VIN: a page that was made before that must not take it back. */
  readonly told: ReadonlyMap<string, VehicleTold>;
}

/** The snapshot with an answer in the place of the page that has this index. */
export function withPage(
  snapshot: Snapshot | null,
  query: VehicleQuery,
  index: number,
  page: Page,
): Snapshot {
  const { pages = [], told = new Map<string, VehicleTold>(), latest } = snapshot ?? {};
  const items = page.answer.items.map((vehicle) => {
    const heard = told.get(vehicle.vin);
    return heard !== undefined && isLater(heard, page.answer) ? heard.vehicle : vehicle;
  });
  return {
    query,
    told,
    pages: replacePage(pages, index, { ...page, answer: { ...page.answer, items } }),
    latest: latest !== undefined && isLater(latest, page.answer) ? latest : page.answer,
  };
}

/** The snapshot with what the stream told. */
export function withEvent(snapshot: Snapshot, event: StreamEvent): Snapshot {
  switch (event.type) {
    case 'vehicle': {
      const { position, as_of, answered_at } = event;
      return {
        ...snapshot,
        pages: replaceVehicle(snapshot.pages, event.vehicle),
        told: new Map(snapshot.told).set(event.vehicle.vin, event),
        latest: { ...snapshot.latest, position, as_of, answered_at },
      };
    }
    case 'counts':
      return { ...snapshot, latest: event };
    default:
      return snapshot;
  }
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

function isLater(one: AsOf, other: AsOf): boolean {
  return Date.parse(one.as_of) > Date.parse(other.as_of);
}
