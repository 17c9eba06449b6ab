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

export interface Vehicle {
  readonly vin: string;
  readonly registration_number: string;
  readonly customer: Customer;
  readonly status: Status;
  readonly last_heartbeat_at: string | null;
}

export interface CustomerCount extends Customer {
  readonly count: number;
}

export interface Facets {
  readonly status: Readonly<Partial<Record<Status, number>>>;
  readonly customers: readonly CustomerCount[];
}

/** The answer to GET /api/v1/vehicles. */
export interface VehiclePage {
  readonly items: readonly Vehicle[];
  readonly total: number;
  readonly facets: Facets;
  readonly next_cursor: string | null;
  /** What had reached the tracker by then is in the answer. */
  readonly as_of: string;
  /** The server's clock when it answered. */
  readonly answered_at: string;
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
