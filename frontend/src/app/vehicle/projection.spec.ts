import { Coordinates } from '../api/history';
import { draw } from './projection';

const SIZE = { width: 640, height: 360, margin: 30 };

describe('A drawn track', () => {
  it('is to scale, with north upwards, and fits', () => {
    const { points, scale } = draw(
      [
        [18, 59],
        [18, 59.09],
        [18.1, 59.09],
      ],
      SIZE,
    );
    const [south, north, east] = points;

    expect(south).toMatchObject({ x: north?.x, y: 330 });
    expect(north).toMatchObject({ y: 30 });
    // 10 km to the north, and 5.7 km to the east: a degree of longitude is shorter there.
    expect(((east?.x ?? 0) - (north?.x ?? 0)) / 300).toBeCloseTo(0.571, 2);
    expect(scale).toEqual({ km: 5, length: 149.9 });
  });

  it.each<[string, readonly Coordinates[], number]>([
    ['a place where it stood', [[18, 59]], 0],
    [
      'a yard that it went round',
      [
        [18, 59],
        [18.0001, 59],
        [18, 59],
      ],
      17,
    ],
    [
      'the 180th meridian',
      [
        [179.9, -17],
        [-179.9, -17],
      ],
      580,
    ],
  ])('may be %s', (_what, coordinates, width) => {
    const xs = draw(coordinates, SIZE).points.map(({ x }) => x);

    expect(Math.max(...xs) - Math.min(...xs)).toBeCloseTo(width, -1);
    expect((Math.max(...xs) + Math.min(...xs)) / 2).toBeCloseTo(320, 0);
  });

  it('has a scale in round figures', () => {
    expect(draw([[18, 59]], SIZE).scale.km).toBe(0.05);
    expect(
      draw(
        [
          [0, 40],
          [2, 40],
        ],
        SIZE,
      ).scale.km,
    ).toBe(20);
  });

  it('may be empty', () => {
    expect(draw([], SIZE).points).toEqual([]);
  });
});
