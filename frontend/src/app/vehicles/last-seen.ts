import { Component, computed, inject, input } from '@angular/core';

import { duration } from '../time/duration';
import { fullTime } from '../time/local-time';
import { ServerClock } from '../time/server-clock';

@Component({
  selector: 'vt-last-seen',
  template: `
    @if (at(); as instant) {
      <time [attr.datetime]="instant" [title]="exact()">{{ age() }} ago</time>
    } @else {
      <span>never</span>
    }
  `,
  styles: `
    :host {
      white-space: nowrap;
      font-variant-numeric: tabular-nums;
    }

    span {
      color: var(--quiet);
    }
  `,
})
export class LastSeen {
  readonly at = input.required<string | null>();

  private readonly clock = inject(ServerClock);
  protected readonly age = computed(() => duration(this.clock.now() - Date.parse(this.at() ?? '')));
  protected readonly exact = computed(() => fullTime(this.at() ?? ''));
}
