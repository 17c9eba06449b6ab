import { DecimalPipe } from '@angular/common';
import { Component, input, model } from '@angular/core';
import { MatIcon } from '@angular/material/icon';

import { Facets, Status, STATUSES } from '../api/contract';
import { STATUS_NAMES } from './status';

/** How many vehicles have each status; pressing one shows only those. */
@Component({
  selector: 'vt-status-filter',
  imports: [DecimalPipe, MatIcon],
  template: `
    @for (status of statuses; track status) {
      <button
        type="button"
        [class]="status"
        [attr.aria-pressed]="chosen().includes(status)"
        (click)="toggle(status)"
      >
        <mat-icon [svgIcon]="status" />
        <strong [attr.data-testid]="'count-' + status">{{
          counts() ? (counts()?.[status] ?? 0 | number) : '–'
        }}</strong>
        <span>{{ names[status] }}</span>
      </button>
    }
  `,
  styleUrl: './status-filter.scss',
  host: { role: 'group', 'aria-label': 'Filter by status' },
})
export class StatusFilter {
  readonly counts = input.required<Facets['status'] | undefined>();
  readonly chosen = model.required<readonly Status[]>();

  protected readonly statuses = STATUSES;
  protected readonly names = STATUS_NAMES;

  protected toggle(status: Status): void {
    const chosen = this.chosen();
    this.chosen.set(STATUSES.filter((each) => chosen.includes(each) !== (each === status)));
  }
}
