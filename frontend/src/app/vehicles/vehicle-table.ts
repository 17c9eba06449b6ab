import { MediaMatcher } from '@angular/cdk/layout';
import {
  CdkFixedSizeVirtualScroll,
  CdkVirtualForOf,
  CdkVirtualScrollViewport,
  ViewportRuler,
} from '@angular/cdk/scrolling';
import { DecimalPipe } from '@angular/common';
import { Component, computed, DOCUMENT, inject, input, model, viewChild } from '@angular/core';
import { outputFromObservable, toObservable, toSignal } from '@angular/core/rxjs-interop';
import { MatSort, MatSortHeader, Sort } from '@angular/material/sort';
import { RouterLink } from '@angular/router';
import { map, startWith, switchMap } from 'rxjs';

import { Vehicle, VehicleSort } from '../api/contract';
import { timeOfDay } from '../time/local-time';
import { LastSeen } from './last-seen';
import { StatusBadge } from './status-badge';
import { StatusSince } from './status-since';

const NARROW = '(width < 45rem)';
const ROW_REM = 2.5;
const CARD_REM = 5.25;

/** A table in its roles, not its elements: so it can scroll virtually, and fold into cards on a phone. */
@Component({
  selector: 'vt-vehicle-table',
  imports: [
    CdkFixedSizeVirtualScroll,
    CdkVirtualForOf,
    CdkVirtualScrollViewport,
    DecimalPipe,
    LastSeen,
    MatSort,
    MatSortHeader,
    RouterLink,
    StatusBadge,
    StatusSince,
  ],
  templateUrl: './vehicle-table.html',
  styleUrl: './vehicle-table.scss',
})
export class VehicleTable {
  readonly vehicles = input.required<readonly Vehicle[]>();
  readonly total = input.required<number>();
  readonly asOf = input.required<string>();
  readonly sort = model.required<VehicleSort>();

  private readonly document = inject(DOCUMENT);
  private readonly media = inject(MediaMatcher);
  private readonly viewport = viewChild.required(CdkVirtualScrollViewport);
  private readonly viewport$ = toObservable(this.viewport);

  readonly rowsRendered = outputFromObservable(
    this.viewport$.pipe(switchMap((viewport) => viewport.renderedRangeStream)),
  );

  protected readonly sortedBy = computed(() => this.sort().replace('-', ''));
  protected readonly direction = computed(() => (this.sort().startsWith('-') ? 'desc' : 'asc'));

  /** In pixels, as virtual scrolling needs it; follows the width of the window and the size of the text. */
  protected readonly rowHeight = toSignal(
    inject(ViewportRuler)
      .change()
      .pipe(
        startWith(null),
        map(() => this.measureRow()),
      ),
    { requireSync: true },
  );

  private readonly first = toSignal(
    this.viewport$.pipe(switchMap((viewport) => viewport.scrolledIndexChange)),
    { initialValue: 0 },
  );
  /** The rows that can be seen, counted from one. */
  protected readonly shown = computed(() => {
    const fitting = Math.floor(this.viewport().getViewportSize() / this.rowHeight());
    const last = Math.min(this.first() + fitting, this.vehicles().length);
    return { first: Math.min(this.first() + 1, last), last };
  });

  protected readonly time = computed(() => timeOfDay(this.asOf()));

  focus(): void {
    this.viewport().elementRef.nativeElement.focus();
  }

  scrollToTop(): void {
    this.viewport().scrollToIndex(0);
  }

  protected vinOf(_index: number, vehicle: Vehicle): string {
    return vehicle.vin;
  }

  protected sortBy({ active, direction }: Sort): void {
    this.sort.set((direction === 'desc' ? `-${active}` : active) as VehicleSort);
  }

  private measureRow(): number {
    const rem = Number.parseFloat(getComputedStyle(this.document.documentElement).fontSize);
    return Math.round(rem * (this.media.matchMedia(NARROW).matches ? CARD_REM : ROW_REM));
  }
}
