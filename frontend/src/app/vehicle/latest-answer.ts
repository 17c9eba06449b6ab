import { computed, DestroyRef, inject, Signal, signal } from '@angular/core';
import { takeUntilDestroyed, toObservable } from '@angular/core/rxjs-interop';
import {
  catchError,
  defer,
  EMPTY,
  Observable,
  retry,
  startWith,
  switchMap,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';

import { Failure, toFailure } from '../api/failure';

const TIMEOUT_MS = 10_000;
const LONGEST_BACKOFF_MS = 5000;

export interface Question<T> {
  /** What the answer is about: the former answer stays on the screen only if it is about the same. */
  readonly about: string;
  readonly ask: () => Observable<T>;
}

/** What a part of the page knows: the last answer, and what became of asking again. */
export interface LatestAnswer<T> {
  readonly value: Signal<T | null>;
  readonly failure: Signal<Failure | null>;
  /** There is nothing to show yet, and no reason for it. */
  readonly loading: Signal<boolean>;
  /** There is no such thing, and perhaps never was. */
  readonly unknown: Signal<boolean>;
}

/**
 * Asks whenever the question changes and whenever `again` says so. Through an outage the last answer stays, and the
 * question is asked ever less often; what is refused is not asked again before there is news.
 */
export function latestAnswer<T>(
  question: Signal<Question<T>>,
  again: Observable<unknown>,
): LatestAnswer<T> {
  const destroyed = inject(DestroyRef);
  const answered = signal<{ readonly about: string; readonly value: T } | null>(null);
  const failure = signal<Failure | null>(null);
  const value = computed(() => {
    const answer = answered();
    return answer?.about === question().about ? answer.value : null;
  });

  toObservable(question)
    .pipe(
      switchMap(({ about, ask }) =>
        again.pipe(
          startWith(null),
          switchMap(() =>
            patiently(ask, (reason) => {
              failure.set(reason);
            }),
          ),
          tap((value) => {
            failure.set(null);
            answered.set({ about, value });
          }),
        ),
      ),
      takeUntilDestroyed(destroyed),
    )
    .subscribe();

  const loading = computed(() => value() === null && failure() === null);
  const unknown = computed(() => {
    const reason = failure();
    return reason?.kind === 'refused' && reason.code?.startsWith('unknown_') === true;
  });
  return { value, failure, loading, unknown };
}

function patiently<T>(ask: () => Observable<T>, failed: (failure: Failure) => void): Observable<T> {
  return defer(ask).pipe(
    timeout(TIMEOUT_MS),
    retry({
      delay: (error, failures) => {
        const failure = toFailure(error);
        failed(failure);
        return failure.kind === 'refused'
          ? throwError(() => error as unknown)
          : timer(Math.min(1000 * 2 ** (failures - 1), LONGEST_BACKOFF_MS));
      },
    }),
    catchError(() => EMPTY),
  );
}
