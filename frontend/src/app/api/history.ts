import { Customer, Paged, Status } from './contract';

/** What the read service tells of a vehicle's past, field by field as in the HTTP contract. */

interface Told {
  readonly at: string;
}

interface Named {
  readonly registration_number: string;
  readonly customer: Customer;
}

export type TimelineItem = Told &
  (
    | ({ readonly type: 'registered' | 'recommissioned' } & Named)
    | { readonly type: 'registration_number_changed'; readonly registration_number: string }
    | { readonly type: 'moved_customer'; readonly customer: Customer }
    | { readonly type: 'labels_changed'; readonly labels: Readonly<Record<string, string>> }
    | { readonly type: 'disconnect_after_changed'; readonly disconnect_after_s: number | null }
    | { readonly type: 'decommissioned' }
    | { readonly type: 'connected' | 'disconnected'; readonly recorded_at: string }
    | { readonly type: 'connection_mended'; readonly until: string }
    | {
        readonly type: 'trip_started';
        readonly trip_id: string;
        readonly driver: string | null;
      }
    | { readonly type: 'trip_ended'; readonly trip_id: string }
  );

export type TimelinePage = Paged<TimelineItem>;

export interface Interval {
  readonly from: string;
  readonly to: string;
  readonly status: Status;
}

/** The answer to GET /api/v1/vehicles/{vin}/availability: the intervals follow each other without a gap. */
export interface Availability {
  readonly from: string;
  readonly to: string;
  readonly disconnect_after_s: number;
  /** From 0 to 1; null for a period that has not begun. */
  readonly connected_share: number | null;
  readonly intervals: readonly Interval[];
}

export interface Trip {
  readonly trip_id: string;
  readonly source: 'reported' | 'derived';
  readonly driver: string | null;
  readonly started_at: string;
  /** Null while it is under way. */
  readonly ended_at: string | null;
  readonly duration_s: number;
  readonly distance_km: number | null;
  readonly maximum_speed_kmh: number | null;
  readonly mean_speed_kmh: number | null;
}

export type TripPage = Paged<Trip>;

/** Longitude and latitude in degrees, in the order of GeoJSON; an altitude may follow. */
export type Coordinates = readonly [longitude: number, latitude: number, ...rest: number[]];

/** The answer to GET /api/v1/trips/{trip_id}/track: a GeoJSON Feature. */
export interface Track {
  readonly geometry:
    | { readonly type: 'LineString'; readonly coordinates: readonly Coordinates[] }
    | { readonly type: 'Point'; readonly coordinates: Coordinates }
    | null;
  readonly properties: Trip;
}
