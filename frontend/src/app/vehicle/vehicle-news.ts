import { DOCUMENT, inject, Injectable } from '@angular/core';
import { toObservable } from '@angular/core/rxjs-interop';
import { defer, EMPTY, filter, merge, Observable, retry, share, switchMap, timer } from 'rxjs';

import { VehicleStream } from '../api/vehicle-stream';
import { atMostEvery } from '../time/at-most-every';
import { tabVisible } from '../time/tab-visible';
import { VehicleInUrl } from './vehicle-in-url';

/** However much a vehicle says, its page asks no more often than this. */
const QUIET_MS = 5000;
/** A period ends now, so its answer ages also while nothing happens. */
const AT_LATEST_MS = 60_000;
const REOPEN_MS = 5000;

/** Tells the parts of the page when it is time to ask again: something has happened to this vehicle, or may have. */
@Injectable()
export class VehicleNews {
  private readonly stream = inject(VehicleStream);
  private readonly document = inject(DOCUMENT);

  readonly news: Observable<unknown> = toObservable(inject(VehicleInUrl).vin).pipe(
    switchMap((vin) =>
      tabVisible(this.document).pipe(switchMap((visible) => (visible ? this.about(vin) : EMPTY))),
    ),
    atMostEvery(QUIET_MS),
    share(),
  );

  private about(vin: string): Observable<unknown> {
    const told = defer(() => this.stream.follow({ vin, counts: true })).pipe(
      // What happened before it was opened is not told; the counts are of the whole fleet.
      filter(({ type }) => type !== 'counts' && type !== 'behind'),
      retry({ delay: () => timer(REOPEN_MS) }),
    );
    return merge(told, timer(AT_LATEST_MS, AT_LATEST_MS));
  }
}
