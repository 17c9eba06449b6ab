import { Dispatcher } from '../vehicles/dispatcher.fixture';
import { ABC123 } from '../vehicles/fleet.fixture';
import { AVAILABILITY, DETAILS, pageOf, TIMELINE, TO_THE_PIT, UNDER_WAY } from './history.fixture';

export const PATH = `/api/v1/vehicles/${ABC123.vin}`;

/** A dispatcher who has opened the page, and is not answered yet. */
export function opened(params = ''): Promise<Dispatcher> {
  return Dispatcher.opens(`/vehicles/${ABC123.vin}${params}`);
}

/** A dispatcher who sees the whole page. */
export async function answered(params = ''): Promise<Dispatcher> {
  const dispatcher = await opened(params);
  dispatcher.request(PATH).flush(DETAILS);
  dispatcher.request(`${PATH}/availability`).flush(AVAILABILITY);
  dispatcher.request(`${PATH}/trips`).flush(pageOf([UNDER_WAY, TO_THE_PIT]));
  dispatcher.request(`${PATH}/timeline`).flush(pageOf(TIMELINE, 'older'));
  await dispatcher.waits(0);
  return dispatcher;
}

/** What is listed there, line by line as it reads. */
export function lines(dispatcher: Dispatcher, testId: string, selector: string): readonly string[] {
  return [...dispatcher.find(testId).querySelectorAll(selector)].map((line) =>
    [...line.children].map((cell) => cell.textContent.trim()).join(' | '),
  );
}
