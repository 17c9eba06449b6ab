/** What the read service answers, field by field as in the HTTP contract. Times are RFC 3339 in UTC. */

export const STATUSES = ['connected', 'disconnected', 'never_seen'] as const;
export type Status = (typeof STATUSES)[number];

export const SORTABLE_FIELDS = [
  'registration_number',
  'vin',
  'customer',
  'status',
  'last_heartbeat_at',
] as const;
export type SortableField = (typeof SORTABLE_FIELDS)[number];

/** A leading minus sorts in descending order. */
export type VehicleSort = SortableField | `-${SortableField}`;

export interface Customer {
  readonly customer_id: string;
  readonly name: string;
}

/** What the newest heartbeat said. Null was not said. */
export interface Measurements {
  readonly speed_kmh: number | null;
  readonly heading_deg: number | null;
  readonly odometer_km: number | null;
  /** From 0 to 1, as the battery's. */
  readonly fuel_level: number | null;
  readonly battery_level: number | null;
}

export interface Vehicle extends Measurements {
  readonly vin: string;
  readonly registration_number: string;
  readonly customer: Customer;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: Status;
  /** Null where it is not known. */
  readonly status_since: string | null;
  readonly last_heartbeat_at: string | null;
}

export interface CustomerCount extends Customer {
  readonly count: number;
}

export interface Facets {
  readonly status: Readonly<Partial<Record<Status, number>>>;
  readonly customers: readonly CustomerCount[];
}

/** How current an answer is. */
export interface AsOf {
  /** The position of the event log that the answer shows. */
  readonly position: number;
  /** What had reached the tracker by then is in the answer. */
  readonly as_of: string;
  /** The server's clock when it answered. */
  readonly answered_at: string;
}

/** How many vehicles there are under a query, all in all and by what else could be chosen. */
export interface Counts extends AsOf {
  readonly total: number;
  readonly facets: Facets;
}

/** The answer to GET /api/v1/vehicles. */
export interface VehiclePage extends Counts {
  readonly items: readonly Vehicle[];
  readonly next_cursor: string | null;
}

/** The answer to GET /api/v1/vehicles/{vin}. */
export interface VehicleDetails extends Vehicle, AsOf {
  readonly disconnect_after_s: number;
}

/** A page of a list of which the newest comes first. */
export interface Paged<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

/** The messages of a field, of the fields inside a field, or of the items of a list. */
export type FieldErrors =
  string | readonly FieldErrors[] | { readonly [field: string]: FieldErrors };

/** application/problem+json (RFC 9457). */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: FieldErrors;
}
