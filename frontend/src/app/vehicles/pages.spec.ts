import { manyVehicles, answerOf } from './fleet.fixture';
import { Page, pagesOf, replacePage, vehiclesOf } from './pages';

function page(cursor: string | null, next: string | null, length = 10): Page {
  return { cursor, answer: answerOf(manyVehicles(length), { next_cursor: next }) };
}

const THREE = [page(null, 'b'), page('b', 'c'), page('c', 'd')];

describe('pagesOf', () => {
  it.each([
    ['the top', { start: 0, end: 1 }, { start: 0, end: 1 }],
    ['rows inside one page', { start: 12, end: 18 }, { start: 1, end: 2 }],
    ['a whole page', { start: 10, end: 20 }, { start: 1, end: 2 }],
    ['rows across a boundary', { start: 8, end: 21 }, { start: 0, end: 3 }],
    ['rows past the end', { start: 40, end: 50 }, { start: 2, end: 3 }],
  ])('finds the pages of %s', (_what, rows, pages) => {
    expect(pagesOf(THREE, rows)).toEqual(pages);
  });

  it('finds none where none is loaded', () => {
    expect(pagesOf([], { start: 0, end: 30 })).toEqual({ start: 0, end: 0 });
  });
});

describe('replacePage', () => {
  it('puts a page in its place and leaves the others as they are', () => {
    const fresh = page('b', 'c', 9);

    expect(replacePage(THREE, 1, fresh)).toEqual([THREE[0], fresh, THREE[2]]);
  });

  it('lets the next page begin where this one now ends', () => {
    const pages = replacePage(THREE, 1, page('b', 'c2'));

    expect(pages.map(({ cursor }) => cursor)).toEqual([null, 'b', 'c2']);
    expect(vehiclesOf(pages)).toHaveLength(30);
  });

  it('forgets what follows the end of the list', () => {
    expect(replacePage(THREE, 1, page('b', null, 4))).toHaveLength(2);
  });

  it('adds a page at the end', () => {
    expect(vehiclesOf(replacePage(THREE, 3, page('d', null, 5)))).toHaveLength(35);
  });
});
