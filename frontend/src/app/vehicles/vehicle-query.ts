import { ParamMap, Params } from '@angular/router';

import { SORTABLE_FIELDS, Status, STATUSES, VehicleSort } from '../api/contract';

/** Which vehicles are asked for, and in what order. */
export interface VehicleQuery {
  readonly q: string;
  readonly customerIds: readonly string[];
  readonly statuses: readonly Status[];
  readonly sort: VehicleSort;
}

export const ALL_VEHICLES: VehicleQuery = {
  q: '',
  customerIds: [],
  statuses: [],
  sort: 'registration_number',
};

const SORTS = new Set<string>(SORTABLE_FIELDS.flatMap((field) => [field, `-${field}`]));

/** A link may be old or written by hand: what is not understood is left out. */
export function fromParams(params: ParamMap): VehicleQuery {
  const sort = params.get('sort') ?? '';
  const statuses = params.getAll('status');
  return {
    q: (params.get('q') ?? '').trim(),
    customerIds: [...new Set(params.getAll('customer_id').filter((id) => id !== ''))],
    statuses: STATUSES.filter((status) => statuses.includes(status)),
    sort: SORTS.has(sort) ? (sort as VehicleSort) : ALL_VEHICLES.sort,
  };
}

/** The page's address and the API name the parameters alike; what is as usual is left out. */
export function toParams({ q, customerIds, statuses, sort }: VehicleQuery): Params {
  return {
    ...(q !== '' && { q }),
    ...(customerIds.length > 0 && { customer_id: customerIds }),
    ...(statuses.length > 0 && { status: statuses }),
    ...(sort !== ALL_VEHICLES.sort && { sort }),
  };
}

/** Which vehicles, in no order. */
export function toFilters(query: VehicleQuery): Params {
  return toParams({ ...query, sort: ALL_VEHICLES.sort });
}

export function sameQuery(one: VehicleQuery, other: VehicleQuery): boolean {
  return JSON.stringify(toParams(one)) === JSON.stringify(toParams(other));
}

export function hasFilters({ q, customerIds, statuses }: VehicleQuery): boolean {
  return q !== '' || customerIds.length > 0 || statuses.length > 0;
}
