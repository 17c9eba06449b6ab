import { HttpClient } from '@angular/common/http';
import { Component, computed, effect, inject } from '@angular/core';
import { MatIcon } from '@angular/material/icon';
import { RouterLink } from '@angular/router';

import { VehicleDetails } from '../api/contract';
import { ServerClock } from '../time/server-clock';
import { LastSeen } from '../vehicles/last-seen';
import { StatusBadge } from '../vehicles/status-badge';
import { StatusSince } from '../vehicles/status-since';
import { Availability } from './availability';
import { factsOf } from './facts';
import { latestAnswer } from './latest-answer';
import { PartNotice } from './part-notice';
import { Timeline } from './timeline';
import { Trips } from './trips';
import { VehicleInUrl } from './vehicle-in-url';
import { VehicleNews } from './vehicle-news';

/** One vehicle: how it is now, and who is right about when it was silent. */
@Component({
  selector: 'vt-vehicle-page',
  imports: [
    Availability,
    LastSeen,
    MatIcon,
    PartNotice,
    RouterLink,
    StatusBadge,
    StatusSince,
    Timeline,
    Trips,
  ],
  providers: [VehicleInUrl, VehicleNews],
  templateUrl: './vehicle-page.html',
  styleUrl: './vehicle-page.scss',
})
export class VehiclePage {
  protected readonly url = inject(VehicleInUrl);
  private readonly http = inject(HttpClient);

  protected readonly vehicle = latestAnswer(
    computed(() => {
      const about = `/api/v1/vehicles/${encodeURIComponent(this.url.vin())}`;
      return { about, ask: () => this.http.get<VehicleDetails>(about) };
    }),
    inject(VehicleNews).news,
  );
  protected readonly facts = computed(() => {
    const vehicle = this.vehicle.value();
    return vehicle === null ? [] : factsOf(vehicle);
  });

  constructor() {
    const clock = inject(ServerClock);
    const answeredAt = computed(() => this.vehicle.value()?.answered_at);
    effect(() => {
      clock.synchronize(answeredAt());
    });
  }
}
