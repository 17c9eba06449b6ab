import { HttpParams } from '@angular/common/http';
import { Injectable } from '@angular/core';
import { Params } from '@angular/router';
import { Observable, throwError, timeout } from 'rxjs';

import { AsOf, Counts, Vehicle } from './contract';

/** The server lets us hear from it every 10 s; what stays silent for longer than this is lost. */
export const SILENCE_MS = 15_000;

/** What became of one of the vehicles that the stream was opened for. */
export interface VehicleTold extends AsOf {
  readonly type: 'vehicle';
  readonly vehicle: Vehicle;
}

/** It no longer matches the filters, or is no longer in use. */
export interface GoneTold {
  readonly type: 'gone';
  readonly vin: string;
  readonly position: number;
}

type Told =
  | VehicleTold
  | GoneTold
  | ({ readonly type: 'counts' } & Counts)
  /** The read model is behind: until when what is told is complete. */
  | { readonly type: 'behind'; readonly as_of: string; readonly answered_at: string }
  /** The stream cannot tell all that happened: ask again. */
  | { readonly type: 'reset' };

/** The stream is open: what happens from now on is told. */
interface Opened {
  readonly type: 'opened';
}

/** What the stream says. `cursor`: where a later stream goes on; empty before the first that is told. */
export type StreamEvent = (Opened | Told) & { readonly cursor: string };

/** The stream came to an end, or to nothing: what is shown may be old. */
export class StreamLost extends Error {
  constructor(readonly reason: 'refused' | 'closed' | 'silent') {
    super(`The stream is ${reason}.`);
  }
}

/** Which vehicles to hear of; the filters are those of the list. */
export type StreamParams = Params & {
  readonly vin: string | readonly string[];
  readonly counts: true;
  /** The cursor that an earlier stream came to. */
  readonly after?: string;
};

const TYPES: readonly Told['type'][] = ['vehicle', 'gone', 'counts', 'behind', 'reset'];

/** GET /api/v1/stream. */
@Injectable({ providedIn: 'root' })
export class VehicleStream {
  /**
   * Follows the stream until it is lost; nobody listening closes it. A connection that breaks is not lost yet: the
   * browser takes it up again by itself where it broke off.
   */
  follow(params: StreamParams): Observable<StreamEvent> {
    return connect(params).pipe(
      timeout({
        each: SILENCE_MS,
        with: ({ seen }) => throwError(() => new StreamLost(seen === 0 ? 'refused' : 'silent')),
      }),
    );
  }
}

function connect(params: StreamParams): Observable<StreamEvent> {
  return new Observable((subscriber) => {
    const { after, ...others } = params;
    const query = new HttpParams({ fromObject: { ...others, ...(after && { after }) } });
    const source = new EventSource(`/api/v1/stream?${query.toString()}`);
    let [opened, cursor] = [false, after ?? ''];
    source.onopen = (): void => {
      opened = true;
      subscriber.next({ type: 'opened', cursor });
    };
    source.onerror = (): void => {
      if (source.readyState === EventSource.CLOSED) {
        subscriber.error(new StreamLost(opened ? 'closed' : 'refused'));
      }
    };
    for (const type of TYPES) {
      source.addEventListener(type, ({ data, lastEventId }: MessageEvent<string>) => {
        cursor = lastEventId;
        subscriber.next({ ...(JSON.parse(data) as object), type, cursor } as StreamEvent);
      });
    }
    return () => {
      source.close();
    };
  });
}
