import fc from 'fast-check';
import { cutOut, fits, mergeOpenings, nextFitting, nextOpening, openingAt, type Opening } from '../../domain/window';

const openings: Opening[] = [
  { opensAt: 100, closesAt: 200 },
  { opensAt: 300, closesAt: 400 },
];
const span = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }))
  .map(([at, lasts]) => ({ opensAt: at, closesAt: at + lasts }));
const spans = fc.array(span, { maxLength: 8 });
const covers = (list: readonly Opening[], at: number): boolean =>
  list.some((each) => each.opensAt <= at && at < each.closesAt);

describe('openings', () => {
  it('is open from its first instant and closed at its last', () => {
    expect(openingAt(openings, 99)).toBeNull();
    expect(openingAt(openings, 100)).toEqual(openings[0]);
    expect(openingAt(openings, 199)).toEqual(openings[0]);
    expect(openingAt(openings, 200)).toBeNull();
  });

  it('finds the next one, never the present one', () => {
    expect(nextOpening(openings, 100)).toEqual(openings[1]);
    expect(nextOpening(openings, 99)).toEqual(openings[0]);
    expect(nextOpening(openings, 300)).toBeNull();
  });

  it('lets work start only while it can still end inside', () => {
    expect(fits(openings[0]!, 150, 50)).toBe(true);
    expect(fits(openings[0]!, 150, 51)).toBe(false);
    expect(fits(openings[0]!, 99, 10)).toBe(false);
    expect(nextFitting(openings, 150, 51)).toEqual(openings[1]);
    expect(nextFitting(openings, 150, 101)).toBeNull();
  });

  it('merges to ascending spans that do not touch and cover the same instants', () => {
    fc.assert(
      fc.property(spans, (list) => {
        const merged = mergeOpenings(list);
        merged.slice(1).forEach((each, index) => expect(each.opensAt).toBeGreaterThan(merged[index]!.closesAt));
        for (let at = 0; at < 85; at++) expect(covers(merged, at)).toBe(covers(list, at));
      }),
    );
  });

  it('cuts out exactly the closed instants', () => {
    fc.assert(
      fc.property(spans, spans, (list, closed) => {
        const left = cutOut(list, closed);
        for (let at = 0; at < 85; at++) expect(covers(left, at)).toBe(covers(list, at) && !covers(closed, at));
        left.forEach((each) => expect(each.closesAt).toBeGreaterThan(each.opensAt));
      }),
    );
  });
});
