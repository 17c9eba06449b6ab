import { Component, computed, inject } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { RouterLink } from '@angular/router';

import { TimelineItem } from '../api/history';
import { dayAndTime, fullTime } from '../time/local-time';
import { pagedAnswer } from './paged-answer';
import { PartNotice } from './part-notice';
import { inWords } from './timeline-words';
import { VehicleInUrl } from './vehicle-in-url';
import { VehicleNews } from './vehicle-news';

/** What happened to the vehicle, the newest first. */
@Component({
  selector: 'vt-timeline',
  imports: [MatButton, PartNotice, RouterLink],
  template: `
    <h2 id="timeline">Timeline</h2>
    <vt-part-notice [of]="timeline" what="timeline" />
    @if (timeline.value(); as page) {
      <ol aria-labelledby="timeline" data-testid="timeline">
        @for (entry of entries(); track $index) {
          <li [class]="entry.type">
            <time [attr.datetime]="entry.at" [title]="entry.exact">{{ entry.time }}</time>
            @if (entry.trip; as trip) {
              <a routerLink="." [queryParams]="{ trip }" queryParamsHandling="merge">{{
                entry.words
              }}</a>
            } @else {
              <span>{{ entry.words }}</span>
            }
          </li>
        } @empty {
          <li>Nothing has happened yet.</li>
        }
      </ol>
      @if (page.next_cursor !== null) {
        <button matButton type="button" (click)="timeline.older()">Older</button>
      }
    }
  `,
  styleUrl: './timeline.scss',
  host: {
    class: 'card',
    role: 'region',
    'aria-labelledby': 'timeline',
    '[hidden]': 'timeline.unknown()',
  },
})
export class Timeline {
  private readonly url = inject(VehicleInUrl);
  protected readonly timeline = pagedAnswer<TimelineItem>(
    computed(() => `/api/v1/vehicles/${encodeURIComponent(this.url.vin())}/timeline`),
    inject(VehicleNews).news,
  );

  protected readonly entries = computed(() =>
    (this.timeline.value()?.items ?? []).map((item) => ({
      at: item.at,
      type: item.type,
      time: dayAndTime(item.at),
      exact: fullTime(item.at),
      words: inWords(item),
      trip: 'trip_id' in item ? item.trip_id : null,
    })),
  );
}
