import { Paged, VehicleDetails } from '../api/contract';
import { Availability, TimelineItem, Track, Trip } from '../api/history';
import { ABC123, AS_OF, JOHAN, KALLE } from '../vehicles/fleet.fixture';

export const DETAILS: VehicleDetails = {
  ...ABC123,
  disconnect_after_s: 120,
  position: 100,
  as_of: AS_OF,
  answered_at: AS_OF,
};

export const UNDER_WAY: Trip = {
  trip_id: 'under-way',
  source: 'derived',
  driver: null,
  started_at: '2026-11-21T11:30:00Z',
  ended_at: null,
  duration_s: 1800,
  distance_km: null,
  maximum_speed_kmh: null,
  mean_speed_kmh: null,
};

export const TO_THE_PIT: Trip = {
  trip_id: 'to-the-pit',
  source: 'reported',
  driver: 'Astrid',
  started_at: '2026-11-21T07:00:00Z',
  ended_at: '2026-11-21T08:30:00Z',
  duration_s: 5400,
  distance_km: 61.24,
  maximum_speed_kmh: 88.9,
  mean_speed_kmh: 40.8,
};

export const TRACK: Track = {
  geometry: {
    type: 'LineString',
    coordinates: [
      [18.0, 59.0],
      [18.1, 59.05],
      [18.2, 59.1],
    ],
  },
  properties: TO_THE_PIT,
};

export const AVAILABILITY: Availability = {
  from: '2026-11-20T12:00:00Z',
  to: '2026-11-21T12:00:00Z',
  disconnect_after_s: 120,
  connected_share: 0.99237,
  intervals: [
    { from: '2026-11-20T12:00:00Z', to: '2026-11-21T10:03:00Z', status: 'connected' },
    { from: '2026-11-21T10:03:00Z', to: '2026-11-21T10:14:00Z', status: 'disconnected' },
    { from: '2026-11-21T10:14:00Z', to: '2026-11-21T12:00:00Z', status: 'connected' },
  ],
};

export const TIMELINE: readonly TimelineItem[] = [
  { at: '2026-11-21T10:14:00Z', type: 'connected', recorded_at: '2026-11-21T10:14:00Z' },
  { at: '2026-11-21T10:03:00Z', type: 'disconnected', recorded_at: '2026-11-21T10:01:00Z' },
  { at: '2026-11-21T08:30:00Z', type: 'trip_ended', trip_id: 'to-the-pit' },
  { at: '2026-11-21T07:00:00Z', type: 'trip_started', trip_id: 'to-the-pit', driver: 'Astrid' },
  { at: '2026-11-20T09:00:00Z', type: 'moved_customer', customer: KALLE },
  {
    at: '2026-11-01T08:00:00Z',
    type: 'registered',
    registration_number: 'ABC123',
    customer: JOHAN,
  },
];

export function pageOf<Item>(
  items: readonly Item[],
  next_cursor: string | null = null,
): Paged<Item> {
  return { items, next_cursor };
}
