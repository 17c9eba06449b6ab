import { Vehicle, VehiclePage } from '../api/contract';

/** An answer, and where it starts: `null` is the beginning of the list. */
export interface Page {
  readonly cursor: string | null;
  readonly answer: VehiclePage;
}

/** A range of rows; `end` is the first row after it. */
export interface Rows {
  readonly start: number;
  readonly end: number;
}

export function vehiclesOf(pages: readonly Page[]): readonly Vehicle[] {
  return pages.flatMap((page) => page.answer.items);
}

/** The pages that hold these rows, as far as they are loaded. */
export function pagesOf(pages: readonly Page[], rows: Rows): Rows {
  let start = 0;
  let end = 0;
  let row = 0;
  pages.forEach((page, index) => {
    if (row <= rows.start) {
      start = index;
    }
    if (row < rows.end) {
      end = index + 1;
    }
    row += page.answer.items.length;
  });
  return { start, end };
}

/** Puts a page in its place. What follows it is kept as it was, but is from now on read from where this page ends. */
export function replacePage(pages: readonly Page[], index: number, page: Page): readonly Page[] {
  const upToPage = [...pages.slice(0, index), page];
  const cursor = page.answer.next_cursor;
  const [next, ...rest] = pages.slice(index + 1);
  return cursor === null || next === undefined
    ? upToPage
    : [...upToPage, { ...next, cursor }, ...rest];
}

/** Does the same with the vehicles of each page. */
export function eachPage(
  pages: readonly Page[],
  change: (vehicles: readonly Vehicle[]) => readonly Vehicle[],
): readonly Page[] {
  return pages.map((page) => ({
    ...page,
    answer: { ...page.answer, items: change(page.answer.items) },
  }));
}
