import { convertToParamMap } from '@angular/router';

import {
  ALL_VEHICLES,
  fromParams,
  hasFilters,
  sameQuery,
  toParams,
  VehicleQuery,
} from './vehicle-query';

const MUCH_ASKED: VehicleQuery = {
  q: 'åkeri 12',
  customerIds: ['c1', 'c2'],
  statuses: ['connected', 'never_seen'],
  sort: '-last_heartbeat_at',
};

describe('the vehicle query in the URL', () => {
  it('is the API’s own parameters', () => {
    expect(toParams(MUCH_ASKED)).toEqual({
      q: 'åkeri 12',
      customer_id: ['c1', 'c2'],
      status: ['connected', 'never_seen'],
      sort: '-last_heartbeat_at',
    });
  });

  it('leaves out what is as usual', () => {
    expect(toParams(ALL_VEHICLES)).toEqual({});
  });

  it.each([
    ['everything', ALL_VEHICLES],
    ['every filter at once', MUCH_ASKED],
  ])('comes back as it went: %s', (_what, query) => {
    expect(fromParams(convertToParamMap(toParams(query)))).toEqual(query);
  });

  it('reads one value like several', () => {
    expect(fromParams(convertToParamMap({ status: 'connected', customer_id: 'c1' }))).toEqual({
      ...ALL_VEHICLES,
      statuses: ['connected'],
      customerIds: ['c1'],
    });
  });

  it('leaves out what it does not understand', () => {
    const params = { status: ['lost', 'connected'], sort: 'colour', customer_id: ['', 'c1', 'c1'] };

    expect(fromParams(convertToParamMap(params))).toEqual({
      ...ALL_VEHICLES,
      statuses: ['connected'],
      customerIds: ['c1'],
    });
  });
});

describe('a vehicle query', () => {
  it('is the same with the same contents', () => {
    expect(sameQuery(MUCH_ASKED, { ...MUCH_ASKED, customerIds: ['c1', 'c2'] })).toBe(true);
    expect(sameQuery(MUCH_ASKED, { ...MUCH_ASKED, customerIds: ['c1'] })).toBe(false);
  });

  it.each<[keyof VehicleQuery, boolean]>([
    ['q', true],
    ['customerIds', true],
    ['statuses', true],
    ['sort', false],
  ])('filters by %s: %s', (field, filters) => {
    expect(hasFilters({ ...ALL_VEHICLES, [field]: MUCH_ASKED[field] })).toBe(filters);
  });
});
