import { VehicleDetails } from '../api/contract';
import { duration } from '../time/duration';
import { distance, heading, share, speed } from './units';

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** What the vehicle said last, as far as it said it, and the limit that its status is judged by. */
export function factsOf(vehicle: VehicleDetails): readonly Fact[] {
  const said: readonly [string, string | false][] = [
    ['Speed', vehicle.speed_kmh !== null && speed(vehicle.speed_kmh)],
    ['Heading', vehicle.heading_deg !== null && heading(vehicle.heading_deg)],
    ['Odometer', vehicle.odometer_km !== null && distance(vehicle.odometer_km)],
    ['Fuel', vehicle.fuel_level !== null && share(vehicle.fuel_level)],
    ['Battery', vehicle.battery_level !== null && share(vehicle.battery_level)],
    ['Limit', `disconnected after ${duration(vehicle.disconnect_after_s * 1000)} of silence`],
    ...Object.entries(vehicle.labels),
  ];
  return said.flatMap(([name, value]) => (value === false ? [] : [{ name, value }]));
}
