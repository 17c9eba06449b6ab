import { Measurements, Vehicle, VehiclePage } from '../api/contract';

export const AS_OF = '2026-11-21T12:00:00.000000Z';
export const KALLE = { customer_id: 'kalle', name: 'Kalles Grustransporter AB' };
export const JOHAN = { customer_id: 'johan', name: 'Johans Bulk AB' };

const NOTHING_SAID: Measurements = {
  speed_kmh: null,
  heading_deg: null,
  odometer_km: null,
  fuel_level: null,
  battery_level: null,
};

export const ABC123: Vehicle = {
  vin: 'YS2R4X20005399401',
  registration_number: 'ABC123',
  customer: KALLE,
  labels: { depot: 'Södertälje' },
  status: 'connected',
  status_since: '2026-11-21T09:12:30.000000Z',
  last_heartbeat_at: '2026-11-21T11:59:46.000000Z',
  speed_kmh: 62.4,
  heading_deg: 271,
  odometer_km: 104_231.7,
  fuel_level: 0.61,
  battery_level: null,
};

export const DEF456: Vehicle = {
  vin: 'VLUR4X20009093588',
  registration_number: 'DEF456',
  customer: KALLE,
  labels: {},
  status: 'disconnected',
  status_since: '2026-11-21T06:50:00.000000Z',
  last_heartbeat_at: '2026-11-21T06:48:00.000000Z',
  ...NOTHING_SAID,
};

export const JKL012: Vehicle = {
  vin: 'YS2R4X20005388011',
  registration_number: 'JKL012',
  customer: JOHAN,
  labels: {},
  status: 'never_seen',
  status_since: '2026-11-01T08:00:00.000000Z',
  last_heartbeat_at: null,
  ...NOTHING_SAID,
};

/** An answer that holds these vehicles, and nothing else unless told. */
export function answerOf(
  items: readonly Vehicle[],
  overrides: Partial<VehiclePage> = {},
): VehiclePage {
  const count = (status: Vehicle['status']): number =>
    items.filter((vehicle) => vehicle.status === status).length;
  return {
    items,
    total: items.length,
    facets: {
      status: {
        connected: count('connected'),
        disconnected: count('disconnected'),
        never_seen: count('never_seen'),
      },
      customers: [
        { ...JOHAN, count: 1 },
        { ...KALLE, count: 2 },
      ],
    },
    next_cursor: null,
    position: 100,
    as_of: AS_OF,
    answered_at: AS_OF,
    ...overrides,
  };
}

/** So many connected vehicles, numbered from `first`. */
export function manyVehicles(count: number, first = 0): readonly Vehicle[] {
  return Array.from({ length: count }, (_, index) => ({
    ...ABC123,
    vin: `YS2R4X2${String(first + index).padStart(10, '0')}`,
  }));
}
