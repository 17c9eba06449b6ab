import { duration } from './duration';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('duration', () => {
  it.each([
    [0, '0 s'],
    [14 * SECOND + 999, '14 s'],
    [119 * SECOND, '119 s'],
    [2 * MINUTE, '2 min'],
    [59 * MINUTE + 59 * SECOND, '59 min'],
    [HOUR, '1 h'],
    [5 * HOUR + 12 * MINUTE, '5 h 12 min'],
    [DAY - SECOND, '23 h 59 min'],
    [2 * DAY, '2 d'],
    [2 * DAY + 4 * HOUR + 59 * MINUTE, '2 d 4 h'],
  ])('tells %d ms as "%s"', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  it('is never negative, though the other clock may be ahead', () => {
    expect(duration(-800)).toBe('0 s');
  });
});
