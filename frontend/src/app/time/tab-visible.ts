import { distinctUntilChanged, fromEvent, map, Observable, startWith } from 'rxjs';

/** Whether anybody can see the page, now and as it changes: what nobody looks at need not be asked for. */
export function tabVisible(document: Document): Observable<boolean> {
  return fromEvent(document, 'visibilitychange').pipe(
    startWith(null),
    map(() => !document.hidden),
    distinctUntilChanged(),
  );
}
