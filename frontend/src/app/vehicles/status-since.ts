import { booleanAttribute, Component, computed, inject, input } from '@angular/core';

import { Vehicle } from '../api/contract';
import { duration } from '../time/duration';
import { dayAndTime, fullTime, sinceWhen } from '../time/local-time';
import { ServerClock } from '../time/server-clock';
import { STATUS_NAMES } from './status';

/** What stands behind a status badge: "since 09:12", "silent for 4 min". */
@Component({
  selector: 'vt-status-since',
  template: `
    @if (since(); as instant) {
      <time [attr.datetime]="instant" [title]="exact()">{{ words() }}</time>
    }
  `,
  styles: `
    :host {
      color: var(--quiet);
      font-variant-numeric: tabular-nums;
      white-space: nowrap;
    }
  `,
})
export class StatusSince {
  readonly vehicle = input.required<Vehicle>();
  /** Both how long it has been so and since when, where there is room. */
  readonly inFull = input(false, { transform: booleanAttribute });

  private readonly clock = inject(ServerClock);
  protected readonly since = computed(() => this.vehicle().status_since);
  protected readonly exact = computed(
    () => `${STATUS_NAMES[this.vehicle().status]} since ${fullTime(this.since() ?? '')}`,
  );
  protected readonly words = computed(() => {
    const { status, last_heartbeat_at } = this.vehicle();
    const since = this.since() ?? '';
    if (status === 'disconnected' && last_heartbeat_at !== null) {
      const silent = `silent for ${this.age(last_heartbeat_at)}`;
      return this.inFull() ? `${silent}, disconnected since ${dayAndTime(since)}` : silent;
    }
    return this.inFull()
      ? `since ${dayAndTime(since)}, for ${this.age(since)}`
      : `since ${sinceWhen(since, this.clock.now())}`;
  });

  private age(instant: string): string {
    return duration(this.clock.now() - Date.parse(instant));
  }
}
