import { provideHttpClient } from '@angular/common/http';
import {
  HttpTestingController,
  provideHttpClientTesting,
  TestRequest,
} from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';

import { Vehicle } from '../api/contract';
import { FakeEventSource } from '../api/event-source.fixture';
import { ABC123, answerOf, AS_OF } from './fleet.fixture';
import { LiveVehicles } from './live-vehicles';
import { QueryInUrl } from './query-in-url';
import { ALL_VEHICLES, VehicleQuery } from './vehicle-query';

export const SERVER_ERROR = { status: 500, statusText: 'Internal Server Error' };

/** What the stream says of a vehicle, after all that `answerOf` answers. */
export function told(vehicle: Vehicle): object {
  return { vehicle, position: 101, as_of: AS_OF, answered_at: AS_OF };
}

/** LiveVehicles as somebody looks at them, and the read service with its stream at the other end. */
export class LiveFeed {
  readonly query = signal<VehicleQuery>(ALL_VEHICLES);
  readonly live: LiveVehicles;
  readonly http: HttpTestingController;

  constructor() {
    vi.useFakeTimers({ now: Date.parse(AS_OF) });
    FakeEventSource.install();
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        LiveVehicles,
        { provide: QueryInUrl, useValue: { query: this.query } },
      ],
    });
    this.live = TestBed.inject(LiveVehicles);
    this.http = TestBed.inject(HttpTestingController);
    TestBed.tick();
  }

  /** Nothing was asked that nobody answered. */
  end(): void {
    this.http.verify();
    vi.useRealTimers();
    vi.restoreAllMocks();
  }

  /** The one request under way: two would be an overlap. */
  request(): TestRequest {
    return this.http.expectOne(({ url }) => url === '/api/v1/vehicles');
  }

  cursorOf({ request: { params } }: TestRequest): string | null {
    return params.get('cursor');
  }

  stream(): FakeEventSource {
    return FakeEventSource.only;
  }

  /** These vehicles are the answer, and the stream tells what becomes of them. */
  open(vehicles: readonly Vehicle[]): void {
    this.request().flush(answerOf(vehicles));
    TestBed.tick();
    this.stream().opens();
    this.request().flush(answerOf(vehicles));
    this.wait(1000);
  }

  tell(vehicle: Vehicle): void {
    this.stream().says('vehicle', told(vehicle));
    TestBed.tick();
  }

  /** Nothing happens for so long, and the stream says so now and then. */
  soundOff(milliseconds: number): void {
    for (let waited = 0; waited < milliseconds; waited += 5000) {
      this.http.expectNone('/api/v1/vehicles');
      this.stream().says('counts', answerOf([ABC123]));
      this.wait(5000);
    }
  }

  wait(milliseconds: number): void {
    vi.advanceTimersByTime(milliseconds);
    TestBed.tick();
  }

  hideTab(hidden: boolean): void {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
    document.dispatchEvent(new Event('visibilitychange'));
    TestBed.tick();
  }
}
