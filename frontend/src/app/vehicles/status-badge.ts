import { Component, computed, input } from '@angular/core';
import { MatIcon } from '@angular/material/icon';

import { Status } from '../api/contract';
import { STATUS_NAMES } from './status';

@Component({
  selector: 'vt-status-badge',
  imports: [MatIcon],
  template: `<mat-icon [svgIcon]="status()" /><span>{{ name() }}</span>`,
  styles: `
    :host {
      display: inline-flex;
      align-items: center;
      gap: 0.4em;
      color: var(--status);
      font-weight: 560;
      white-space: nowrap;
    }

    mat-icon {
      flex: none;
      width: 1.2em;
      height: 1.2em;
    }
  `,
  host: { '[class]': 'status()' },
})
export class StatusBadge {
  readonly status = input.required<Status>();

  protected readonly name = computed(() => STATUS_NAMES[this.status()]);
}
