import { HttpClient } from '@angular/common/http';
import { Component, computed, inject } from '@angular/core';

import { Availability as Answer } from '../api/history';
import { duration } from '../time/duration';
import { dayAndTime, timeBeside } from '../time/local-time';
import { ServerClock } from '../time/server-clock';
import { AvailabilityBar } from './availability-bar';
import { latestAnswer } from './latest-answer';
import { PartNotice } from './part-notice';
import { PERIODS } from './period';
import { share } from './units';
import { VehicleInUrl } from './vehicle-in-url';
import { VehicleNews } from './vehicle-news';

/** A longer list helps nobody: the CSV has them all. */
const LONGEST_LIST = 10;

/** Which part of a period the vehicle was connected for, and when it was silent. */
@Component({
  selector: 'vt-availability',
  imports: [AvailabilityBar, PartNotice],
  templateUrl: './availability.html',
  styleUrl: './availability.scss',
  host: {
    class: 'card',
    role: 'region',
    'aria-labelledby': 'availability',
    '[hidden]': 'availability.unknown()',
  },
})
export class Availability {
  protected readonly url = inject(VehicleInUrl);
  private readonly clock = inject(ServerClock);
  private readonly http = inject(HttpClient);

  protected readonly periods = PERIODS;
  private readonly address = computed(
    () => `/api/v1/vehicles/${encodeURIComponent(this.url.vin())}/availability`,
  );
  protected readonly availability = latestAnswer(
    computed(() => {
      const [address, { name, length }] = [this.address(), this.url.period()];
      return {
        about: `${address} ${name}`,
        ask: () => {
          const from = new Date(this.clock.now() - length).toISOString();
          return this.http.get<Answer>(address, { params: { from } });
        },
      };
    }),
    inject(VehicleNews).news,
  );

  protected readonly summary = computed(() => {
    const { connected_share } = this.availability.value() ?? {};
    return connected_share == null ? 'Nothing to say yet' : `${share(connected_share)} connected`;
  });
  protected readonly silences = computed(() => {
    const { intervals, to } = this.availability.value() ?? { intervals: [], to: '' };
    const silent = intervals.filter(({ status }) => status === 'disconnected').reverse();
    return {
      count: silent.length,
      shown: silent.slice(0, LONGEST_LIST).map((interval) => ({
        ...interval,
        words: `${dayAndTime(interval.from)} – ${
          interval.to === to ? 'now' : timeBeside(interval.to, interval.from)
        }`,
        length: duration(Date.parse(interval.to) - Date.parse(interval.from)),
      })),
    };
  });
  protected readonly csv = computed(() => {
    const { from = '', to = '' } = this.availability.value() ?? {};
    return `${this.address()}?${new URLSearchParams({ from, to, format: 'csv' }).toString()}`;
  });
}
