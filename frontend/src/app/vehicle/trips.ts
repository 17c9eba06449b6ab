import { Component, computed, inject } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { RouterLink } from '@angular/router';

import { Trip } from '../api/history';
import { duration } from '../time/duration';
import { dayAndTime, timeBeside } from '../time/local-time';
import { pagedAnswer } from './paged-answer';
import { PartNotice } from './part-notice';
import { TripTrack } from './trip-track';
import { distance, speed } from './units';
import { VehicleInUrl } from './vehicle-in-url';
import { VehicleNews } from './vehicle-news';

/** The vehicle's trips, the newest first, and the track of the chosen one. */
@Component({
  selector: 'vt-trips',
  imports: [MatButton, PartNotice, RouterLink, TripTrack],
  templateUrl: './trips.html',
  styleUrl: './trips.scss',
  host: {
    class: 'card',
    role: 'region',
    'aria-labelledby': 'trips',
    '[hidden]': 'trips.unknown()',
  },
})
export class Trips {
  protected readonly url = inject(VehicleInUrl);
  protected readonly trips = pagedAnswer<Trip>(
    computed(() => `/api/v1/vehicles/${encodeURIComponent(this.url.vin())}/trips`),
    inject(VehicleNews).news,
  );
  protected readonly rows = computed(() => (this.trips.value()?.items ?? []).map(inWords));
}

interface Row {
  readonly id: string;
  readonly started: string;
  readonly ended: string;
  readonly duration: string;
  readonly distance: string;
  readonly mean: string;
  readonly maximum: string;
  readonly driver: string;
  readonly source: string;
}

function inWords(trip: Trip): Row {
  const { started_at, ended_at, distance_km, mean_speed_kmh, maximum_speed_kmh } = trip;
  return {
    id: trip.trip_id,
    started: dayAndTime(started_at),
    ended: ended_at === null ? 'under way' : timeBeside(ended_at, started_at),
    duration: duration(trip.duration_s * 1000),
    distance: distance_km === null ? '–' : distance(distance_km),
    mean: mean_speed_kmh === null ? '–' : speed(mean_speed_kmh),
    maximum: maximum_speed_kmh === null ? '–' : speed(maximum_speed_kmh),
    driver: trip.driver ?? '–',
    source: trip.source,
  };
}
