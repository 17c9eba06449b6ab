import { distance, heading, share, speed } from './units';

describe('Units', () => {
  it.each([
    [1, '100.0 %'],
    [0.9999, '99.9 %'],
    [0.973, '97.3 %'],
    [0, '0.0 %'],
  ])('tell the share %d as "%s", and never too much', (part, text) => {
    expect(share(part)).toBe(text);
  });

  it('tell speed and distance', () => {
    expect(speed(62.4)).toBe('62 km/h');
    expect(distance(104_231.66)).toBe('104,231.7 km');
  });

  it.each([
    [0, '0° (north)'],
    [271, '271° (west)'],
    [350, '350° (north)'],
  ])('tell the heading %d as "%s"', (degrees, text) => {
    expect(heading(degrees)).toBe(text);
  });
});
