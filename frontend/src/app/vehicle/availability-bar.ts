import { Component, computed, input } from '@angular/core';

import { STATUSES } from '../api/contract';
import { Availability } from '../api/history';
import { dayAndTime } from '../time/local-time';
import { STATUS_NAMES } from '../vehicles/status';

/** Told apart by height, not by colour alone: a silence stands out also where it is a hair's breadth. */
const HEIGHTS = { connected: 14, disconnected: 24, never_seen: 4 };
const HEIGHT = 24;
const WIDTH = 1000;

/** The period as a bar from left to right. */
@Component({
  selector: 'vt-availability-bar',
  template: `
    <svg role="img" preserveAspectRatio="none" [attr.viewBox]="viewBox" [attr.aria-label]="label()">
      @for (rect of rects(); track rect.from) {
        <rect
          [class]="rect.status"
          [attr.x]="rect.x"
          [attr.width]="rect.width"
          [attr.y]="rect.y"
          [attr.height]="rect.height"
        />
      }
    </svg>
    <p>
      <time [attr.datetime]="availability().from">{{ ends().from }}</time>
      <span class="legend" aria-hidden="true">
        @for (kind of legend; track kind.status) {
          <span [class]="kind.status"><i [style.height.px]="kind.height"></i>{{ kind.name }}</span>
        }
      </span>
      <time [attr.datetime]="availability().to">{{ ends().to }}</time>
    </p>
  `,
  styleUrl: './availability-bar.scss',
})
export class AvailabilityBar {
  readonly availability = input.required<Availability>();
  readonly summary = input.required<string>();

  protected readonly viewBox = `0 0 ${String(WIDTH)} ${String(HEIGHT)}`;
  protected readonly legend = STATUSES.map((status) => ({
    status,
    name: STATUS_NAMES[status],
    height: HEIGHTS[status] / 2,
  }));
  protected readonly ends = computed(() => ({
    from: dayAndTime(this.availability().from),
    to: dayAndTime(this.availability().to),
  }));
  protected readonly label = computed(
    () => `${this.summary()} from ${this.ends().from} to ${this.ends().to}`,
  );

  protected readonly rects = computed(() => {
    const { from, to, intervals } = this.availability();
    const start = Date.parse(from);
    const scale = WIDTH / Math.max(1, Date.parse(to) - start);
    const drawn = intervals.map((interval) => ({
      ...interval,
      x: (Date.parse(interval.from) - start) * scale,
      width: (Date.parse(interval.to) - Date.parse(interval.from)) * scale,
      y: HEIGHT - HEIGHTS[interval.status],
      height: HEIGHTS[interval.status],
    }));
    // What is drawn last lies on top.
    return drawn.sort((one, other) => one.height - other.height);
  });
}
