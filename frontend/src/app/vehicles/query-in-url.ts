import { inject, Injectable } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { ActivatedRoute, Router } from '@angular/router';
import { map } from 'rxjs';

import { ALL_VEHICLES, fromParams, sameQuery, toParams, VehicleQuery } from './vehicle-query';

/** The page's address is the only place that holds the query, so links, reload and "back" simply work. */
@Injectable()
export class QueryInUrl {
  private readonly router = inject(Router);
  private readonly route = inject(ActivatedRoute);

  readonly query = toSignal(this.route.queryParamMap.pipe(map(fromParams)), {
    requireSync: true,
    equal: sameQuery,
  });

  change(changed: Partial<VehicleQuery>): void {
    const before = this.query();
    const after = { ...before, ...changed };
    // "Back" undoes a search, not each of its letters.
    const refinesSearch = before.q !== '' && after.q !== '' && before.q !== after.q;
    void this.router.navigate([], {
      relativeTo: this.route,
      queryParams: toParams(after),
      replaceUrl: refinesSearch,
    });
  }

  clearFilters(): void {
    this.change({ ...ALL_VEHICLES, sort: this.query().sort });
  }
}
