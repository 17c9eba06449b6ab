import { HttpClient, HttpParams } from '@angular/common/http';
import { inject, Injectable } from '@angular/core';
import { map, Observable, timeout } from 'rxjs';

import { VehiclePage } from '../api/contract';
import { Page } from './pages';
import { toParams, VehicleQuery } from './vehicle-query';

const PAGE_SIZE = 50;
const TIMEOUT_MS = 5000;

/** GET /api/v1/vehicles. */
@Injectable({ providedIn: 'root' })
export class VehicleSearch {
  private readonly http = inject(HttpClient);

  /** The page that begins at `cursor`, or the first one. An answer that does not come in time is an error. */
  page(query: VehicleQuery, cursor: string | null): Observable<Page> {
    const params = new HttpParams({
      fromObject: {
        ...toParams(query),
        sort: query.sort,
        limit: PAGE_SIZE,
        ...(cursor !== null && { cursor }),
      },
    });
    return this.http.get<VehiclePage>('/api/v1/vehicles', { params }).pipe(
      timeout(TIMEOUT_MS),
      map((answer) => ({ cursor, answer })),
    );
  }
}
