import { HttpClient } from '@angular/common/http';
import { computed, inject, linkedSignal, Signal } from '@angular/core';
import { EMPTY, expand, map, Observable, toArray } from 'rxjs';

import { Paged } from '../api/contract';
import { LatestAnswer, latestAnswer } from './latest-answer';

const PAGE_SIZE = 20;

/** A list of which the newest comes first, as far back as somebody wanted to see. */
export interface PagedAnswer<Item> extends LatestAnswer<Paged<Item>> {
  /** Asks for what was before. */
  readonly older: () => void;
}

/** Asks for the list at `url`: again as `latestAnswer` does, and then for as many pages as were asked for. */
export function pagedAnswer<Item>(
  url: Signal<string>,
  again: Observable<unknown>,
): PagedAnswer<Item> {
  const http = inject(HttpClient);
  const pages = linkedSignal({ source: url, computation: () => 1 });
  const page = (url: string, cursor: string | null): Observable<Paged<Item>> =>
    http.get<Paged<Item>>(url, { params: { limit: PAGE_SIZE, ...(cursor && { cursor }) } });

  const question = computed(() => {
    const [about, wanted] = [url(), pages()];
    const ask = (): Observable<Paged<Item>> =>
      page(about, null).pipe(
        expand(({ next_cursor }, index) =>
          next_cursor !== null && index + 1 < wanted ? page(about, next_cursor) : EMPTY,
        ),
        toArray(),
        map((answers) => ({
          items: answers.flatMap(({ items }) => items),
          next_cursor: answers.at(-1)?.next_cursor ?? null,
        })),
      );
    return { about, ask };
  });
  const older = (): void => {
    pages.update((count) => count + 1);
  };
  return { ...latestAnswer(question, again), older };
}
