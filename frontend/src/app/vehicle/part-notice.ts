import { Component, computed, input } from '@angular/core';
import { MatProgressBar } from '@angular/material/progress-bar';

import { LatestAnswer } from './latest-answer';

/** Says of a part of the page that it is loading, was refused, or is old because the read service is away. */
@Component({
  selector: 'vt-part-notice',
  imports: [MatProgressBar],
  template: `
    @if (of().loading()) {
      <mat-progress-bar mode="indeterminate" [attr.aria-label]="'Loading ' + what()" />
    }
    @if (of().failure(); as failure) {
      <p role="status">
        @if (failure.kind === 'refused') {
          The read service refused to show the {{ what() }}: {{ reasons() }}
        } @else {
          Read service unreachable{{ of().value() ? ': this is how it was last' : '' }}. Trying
          again…
        }
      </p>
    }
  `,
  styles: `
    p {
      margin: 0 0 0.5rem;
      padding: 0.25rem 0.75rem;
      border-radius: 0.375rem;
      background: var(--warning);
      color: var(--on-warning);
    }
  `,
})
export class PartNotice {
  readonly of = input.required<LatestAnswer<unknown>>();
  readonly what = input.required<string>();

  protected readonly reasons = computed(() => {
    const failure = this.of().failure();
    return failure?.kind === 'refused' ? failure.reasons.join(' ') : '';
  });
}
