import { Component, computed, effect, inject, viewChild } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { MatProgressBar } from '@angular/material/progress-bar';

import { Announcements } from './announcements';
import { CustomerFilter } from './customer-filter';
import { LiveVehicles } from './live-vehicles';
import { QueryInUrl } from './query-in-url';
import { SearchField } from './search-field';
import { StaleBanner } from './stale-banner';
import { StatusFilter } from './status-filter';
import { hasFilters } from './vehicle-query';
import { VehicleTable } from './vehicle-table';

/** All vehicles on one screen: who is connected, now. */
@Component({
  selector: 'vt-vehicles',
  imports: [
    CustomerFilter,
    MatButton,
    MatProgressBar,
    SearchField,
    StaleBanner,
    StatusFilter,
    VehicleTable,
  ],
  providers: [Announcements, LiveVehicles, QueryInUrl],
  templateUrl: './vehicles.html',
  styleUrl: './vehicles.scss',
})
export class Vehicles {
  protected readonly url = inject(QueryInUrl);
  protected readonly live = inject(LiveVehicles);
  private readonly table = viewChild(VehicleTable);

  protected readonly query = this.url.query;
  protected readonly filtered = computed(() => hasFilters(this.query()));
  protected readonly latest = computed(() => this.live.snapshot()?.latest);
  protected readonly owners = computed(() => this.live.vehicles().map(({ customer }) => customer));
  protected readonly unreachable = computed(() => this.live.failure()?.kind === 'unreachable');
  protected readonly stale = computed(() => this.unreachable() || this.live.behind());
  protected readonly refusal = computed(() => {
    const failure = this.live.failure();
    return failure?.kind === 'refused' ? failure : null;
  });

  private readonly answeredQuery = computed(() => this.live.snapshot()?.query);

  constructor() {
    inject(Announcements);
    effect(() => {
      this.answeredQuery();
      this.table()?.scrollToTop();
    });
  }

  protected skipToTable(event: Event): void {
    event.preventDefault();
    this.table()?.focus();
  }
}
