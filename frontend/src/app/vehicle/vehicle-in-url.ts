import { inject, Injectable } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { ActivatedRoute, Params, Router } from '@angular/router';
import { map } from 'rxjs';

import { fromParams, toParams } from '../vehicles/vehicle-query';
import { Period, periodNamed } from './period';

/** The page's address says which vehicle is shown, over which period and with which trip; and where "back" leads. */
@Injectable()
export class VehicleInUrl {
  private readonly router = inject(Router);
  private readonly route = inject(ActivatedRoute);
  private readonly params = toSignal(this.route.queryParamMap, { requireSync: true });

  readonly vin = toSignal(this.route.paramMap.pipe(map((params) => params.get('vin') ?? '')), {
    requireSync: true,
  });
  readonly period = (): Period => periodNamed(this.params().get('period'));
  readonly tripId = (): string | null => this.params().get('trip');
  /** The query of the list that one came from. */
  readonly list = (): Params => toParams(fromParams(this.params()));

  choosePeriod(period: Period): void {
    void this.router.navigate([], {
      relativeTo: this.route,
      queryParams: { period: period.name },
      queryParamsHandling: 'merge',
      replaceUrl: true,
    });
  }
}
