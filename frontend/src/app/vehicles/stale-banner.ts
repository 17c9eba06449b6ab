import { Component, computed, inject, input } from '@angular/core';
import { MatIcon } from '@angular/material/icon';

import { duration } from '../time/duration';
import { timeOfDay } from '../time/local-time';
import { ServerClock } from '../time/server-clock';

/** Says that the read service is away or behind, and how old is what can still be seen. */
@Component({
  selector: 'vt-stale-banner',
  imports: [MatIcon],
  template: `
    <mat-icon svgIcon="warning" />
    <p>
      <strong>{{ unreachable() ? 'Read service unreachable' : 'Read model behind' }}</strong>
      @if (asOf(); as instant) {
        – showing data from <time [attr.datetime]="instant">{{ time() }}</time> ({{ age() }} old){{
          otherQuery() ? ', from before you changed the filters' : ''
        }}.
      } @else {
        – nothing to show yet.
      }
      {{ unreachable() ? 'Trying again…' : 'What came since is stored and will follow.' }}
    </p>
  `,
  styleUrl: './stale-banner.scss',
  host: { 'data-testid': 'stale-banner' },
})
export class StaleBanner {
  /** The read service does not answer; else it does, but with what was known a while ago. */
  readonly unreachable = input.required<boolean>();

  /** The time of what is shown, if anything is. */
  readonly asOf = input.required<string | undefined>();

  /** What is shown answers an earlier query than the one now asked. */
  readonly otherQuery = input.required<boolean>();

  private readonly clock = inject(ServerClock);
  protected readonly time = computed(() => timeOfDay(this.asOf() ?? ''));
  protected readonly age = computed(() =>
    duration(this.clock.now() - Date.parse(this.asOf() ?? '')),
  );
}
