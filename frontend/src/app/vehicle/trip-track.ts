import { HttpClient } from '@angular/common/http';
import { Component, computed, inject, input } from '@angular/core';

import { Coordinates, Track } from '../api/history';
import { dayAndTime, timeBeside } from '../time/local-time';
import { latestAnswer } from './latest-answer';
import { PartNotice } from './part-notice';
import { draw } from './projection';
import { VehicleNews } from './vehicle-news';

const SIZE = { width: 640, height: 260, margin: 16 };

/** Where a trip went, to scale and without a map: the tracker must work where no map can be reached. */
@Component({
  selector: 'vt-trip-track',
  imports: [PartNotice],
  templateUrl: './trip-track.html',
  styleUrl: './trip-track.scss',
})
export class TripTrack {
  readonly tripId = input.required<string>();

  private readonly http = inject(HttpClient);
  protected readonly size = SIZE;
  protected readonly address = computed(
    () => `/api/v1/trips/${encodeURIComponent(this.tripId())}/track`,
  );
  protected readonly track = latestAnswer(
    computed(() => {
      const about = this.address();
      return { about, ask: () => this.http.get<Track>(about, { params: { format: 'geojson' } }) };
    }),
    inject(VehicleNews).news,
  );

  protected readonly title = computed(() => {
    const trip = this.track.value()?.properties;
    if (trip === undefined) {
      return 'Track';
    }
    const { started_at, ended_at } = trip;
    const end = ended_at === null ? 'now' : timeBeside(ended_at, started_at);
    return `Track of ${dayAndTime(started_at)} – ${end}`;
  });
  private readonly coordinates = computed(() => coordinatesOf(this.track.value()));
  protected readonly drawing = computed(() => {
    const { points, scale } = draw(this.coordinates(), SIZE);
    const [start, end] = [points.at(0), points.at(-1)];
    if (start === undefined || end === undefined) {
      return null;
    }
    const line = points.map(({ x, y }) => `${String(x)},${String(y)}`).join(' ');
    const unit =
      scale.km < 1 ? `${String(Math.round(scale.km * 1000))} m` : `${String(scale.km)} km`;
    return { line, start, end, scale: { percent: (100 * scale.length) / SIZE.width, unit } };
  });
  protected readonly label = computed(() => {
    const [start, end] = [this.coordinates().at(0), this.coordinates().at(-1)];
    return `${this.title()}, from ${place(start)} to ${place(end)}, north is up`;
  });
}

function coordinatesOf(track: Track | null): readonly Coordinates[] {
  const geometry = track?.geometry ?? null;
  if (geometry === null) {
    return [];
  }
  return geometry.type === 'Point' ? [geometry.coordinates] : geometry.coordinates;
}

/** 59.3293° 18.0686° */
function place([longitude, latitude]: Coordinates = [0, 0]): string {
  return `${latitude.toFixed(4)}° ${longitude.toFixed(4)}°`;
}
