import { factsOf } from './facts';
import { DETAILS } from './history.fixture';

const said = (vehicle: typeof DETAILS): readonly string[] =>
  factsOf(vehicle).map(({ name, value }) => `${name}: ${value}`);

describe('The facts of a vehicle', () => {
  it('are what it said, its limit and its labels', () => {
    expect(said(DETAILS)).toEqual([
      'Speed: 62 km/h',
      'Heading: 271° (west)',
      'Odometer: 104,231.7 km',
      'Fuel: 61.0 %',
      'Limit: disconnected after 2 min of silence',
      'depot: Södertälje',
    ]);
  });

  it('leave out what it did not say', () => {
    const silent = {
      ...DETAILS,
      labels: {},
      speed_kmh: null,
      heading_deg: null,
      odometer_km: null,
      fuel_level: null,
      battery_level: 0.5,
    };

    expect(said(silent)).toEqual(['Battery: 50.0 %', 'Limit: disconnected after 2 min of silence']);
  });
});
