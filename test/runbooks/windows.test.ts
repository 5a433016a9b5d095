import { windowsInRange, resolveRun } from '../../runbooks/windows';
import { parseDocuments } from '../../runbooks/load';
import type { Plan } from '../../runbooks/schema/plan';
import type { Runbook } from '../../runbooks/schema/runbook';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from './fixtures/tiny';

const texts = { runbook: TINY_RUNBOOK, conversion: TINY_CONVERSION, plan: TINY_PLAN };
const docs = parseDocuments({ ...texts, files: { runbook: 'r.yaml', conversion: 'c.yaml', plan: 'p.yaml' } });
const runbook = docs.runbook as Runbook;
const plan = docs.plan as Plan;
const at = (text: string): number => Date.parse(text);
const range = (from: string, until: string) => ({ fromMs: at(from), untilMs: at(until) });
const shown = (openings: { opensAt: number; closesAt: number }[] | undefined): string[] =>
  (openings ?? []).map((o) => `${new Date(o.opensAt).toISOString()}/${new Date(o.closesAt).toISOString()}`);
const withWindow = (window: Partial<Runbook['windows'][string]>): Runbook => ({
  ...runbook,
  windows: { night: { opens: 'Sat 22:00', lasts: 'PT7H', ...window } },
});

describe('resolving windows', () => {
  it('opens at the local time in winter and in summer', () => {
    const winter = windowsInRange(withWindow({}), plan, range('2027-01-10T12:00:00Z', '2027-01-17T12:00:00Z'));
    expect(shown(winter.windows['night'])).toEqual(['2027-01-16T21:00:00.000Z/2027-01-17T04:00:00.000Z']);
    const summer = windowsInRange(withWindow({}), plan, range('2027-06-13T12:00:00Z', '2027-06-20T12:00:00Z'));
    expect(shown(summer.windows['night'])).toEqual(['2027-06-19T20:00:00.000Z/2027-06-20T03:00:00.000Z']);
  });

  it('lasts exactly as long as it says on the night the clocks change', () => {
    const found = windowsInRange(withWindow({}), plan, range('2027-03-27T00:00:00Z', '2027-03-28T12:00:00Z'));
    expect(found.problems).toEqual([]);
    expect(shown(found.windows['night'])).toEqual(['2027-03-27T21:00:00.000Z/2027-03-28T04:00:00.000Z']);
  });

  it('leaves out an opening that falls into the spring gap, and says so', () => {
    const gap = withWindow({ opens: 'Sun 02:30', lasts: 'PT2H' });
    const found = windowsInRange(gap, plan, range('2027-03-24T00:00:00Z', '2027-03-30T00:00:00Z'));
    expect(found.windows['night']).toEqual([]);
    expect(found.problems.filter((problem) => problem.local.startsWith('2027-03-28'))).toEqual([
      { window: 'night', edge: 'opens', local: '2027-03-28T02:30' },
    ]);
  });

  it.each([
    ['PT4H30M', '2026-10-25T02:30'],
    ['PT5H', '2026-10-25T02:00'],
  ])('leaves out an opening of %s whose closing exists twice in autumn', (lasts, local) => {
    const found = windowsInRange(withWindow({ lasts }), plan, range('2026-10-24T00:00:00Z', '2026-10-26T00:00:00Z'));
    expect(found.windows['night']).toEqual([]);
    expect(found.problems).toContainEqual({ window: 'night', edge: 'closes', local });
  });

  it('cuts public holidays out of a pattern, to the local minute', () => {
    const night = withWindow({ holidays: 'NL' });
    const found = windowsInRange(night, plan, range('2027-03-26T00:00:00Z', '2027-03-29T00:00:00Z'));
    expect(shown(found.windows['night'])).toEqual(['2027-03-27T21:00:00.000Z/2027-03-27T23:00:00.000Z']);
  });

  it('cuts blackouts, both days included', () => {
    const night = withWindow({ opens: '22:00', lasts: 'PT4H', blackouts: ['2026-12-24/2026-12-26'] });
    const found = windowsInRange(night, plan, range('2026-12-23T12:00:00Z', '2026-12-27T12:00:00Z'));
    expect(shown(found.windows['night'])).toEqual([
      '2026-12-23T21:00:00.000Z/2026-12-23T23:00:00.000Z',
      '2026-12-26T23:00:00.000Z/2026-12-27T01:00:00.000Z',
    ]);
  });

  it('takes the openings of the plan instead of the pattern, joined, and cut by blackouts but not by holidays', () => {
    const exact: Plan = {
      ...plan,
      windows: {
        night: [
          { opensAt: '2026-12-23T22:00:00+01:00', lasts: 'PT4H' },
          { opensAt: '2026-12-05T23:00:00+01:00', lasts: 'PT2H' },
          { opensAt: '2026-12-05T22:00:00+01:00', lasts: 'PT2H' },
          { opensAt: '2027-03-28T12:00:00+02:00', lasts: 'PT1H' },
        ],
      },
    };
    const night = withWindow({ holidays: 'NL', blackouts: ['2026-12-24/2027-01-02'] });
    const found = windowsInRange(night, exact, range('2026-11-22T00:00:00Z', '2026-11-30T00:00:00Z'));
    expect(shown(found.windows['night'])).toEqual([
      '2026-12-05T21:00:00.000Z/2026-12-06T00:00:00.000Z',
      '2026-12-23T21:00:00.000Z/2026-12-23T23:00:00.000Z',
      '2027-03-28T10:00:00.000Z/2027-03-28T11:00:00.000Z',
    ]);
  });

  it('gives a run its documents, hashes and openings', () => {
    const now = at('2026-11-24T12:00:00Z');
    const run = resolveRun({ runbook, plan, conversion: docs.conversion! }, { runbookHash: 'a', planHash: 'b' }, now);
    expect(run.windows['night']?.[0]).toEqual({
      opensAt: at('2026-11-28T21:00:00Z'),
      closesAt: at('2026-11-29T04:00:00Z'),
    });
    expect([run.runbookHash, run.planHash]).toEqual(['a', 'b']);
    expect(
      run.windows['night']?.some(
        (o) => o.opensAt > at('2026-12-23T23:00:00Z') && o.opensAt < at('2027-01-02T22:59:59Z'),
      ),
    ).toBe(false);
  });
});
