import { coveredBy } from '../../domain/spans';

it.each([
  ['none', [], 0],
  ['one inside', [[2, 5]], 3],
  ['one over both edges', [[-5, 50]], 10],
  [
    'with a gap between',
    [
      [1, 3],
      [6, 8],
    ],
    4,
  ],
  [
    'that overlap, in any order',
    [
      [4, 8],
      [2, 6],
      [5, 6],
    ],
    6,
  ],
  [
    'that are empty, or outside',
    [
      [3, 3],
      [20, 30],
      [-4, 0],
    ],
    0,
  ],
] as [string, [number, number][], number][])('spans %s', (_, spans, covered) => {
  expect(coveredBy(spans, 0, 10)).toBe(covered);
});
