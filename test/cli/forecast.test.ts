import { forecastOf, type Forecast } from '../../cli/forecast';
import type { RunShown } from '../../cli/run-status';
import { aheadLines } from '../../cli/show/ahead';
import { parseDocuments } from '../../runbooks/load';
import { resolveRun } from '../../runbooks/windows';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from '../runbooks/fixtures/tiny';
import { gate, run, step } from './support/status';

const MINUTE_MS = 60_000;
/** A Saturday; the night opens at 21:00 UTC. */
const START = Date.parse('2026-11-28T18:00:00Z');
const at = (clock: string): number => Date.parse(`2026-11-28T${clock}Z`);

const docs = parseDocuments({
  runbook: TINY_RUNBOOK,
  plan: `${TINY_PLAN.replace('- { id: w1 }', '- { id: w1, where: customer_id::int < 5 }\n  - { id: w2 }')}durations: { scope: PT10M }\n`,
  conversion: TINY_CONVERSION,
  files: { runbook: 'r', conversion: 'c', plan: 'p' },
});
const resolved = resolveRun(
  { runbook: docs.runbook!, conversion: docs.conversion!, plan: docs.plan! },
  { runbookHash: 'r', planHash: 'p' },
  START,
);
const forecast = (runs: RunShown[], now: string, rates = {}): Forecast => forecastOf(resolved, runs, at(now), rates);
const clockOf = (ms: number | null | undefined): string => new Date(ms ?? 0).toISOString().slice(5, 19);

const main = (more: Partial<RunShown> = {}): RunShown =>
  run(null, {
    startedAt: START,
    steps: [step('scope', 'done', { startedAt: START, endedAt: at('18:30:00') })],
    gates: [gate('ready', 'passed', { openedAt: at('18:30:00'), decidedAt: at('19:00:00') })],
    ...more,
  });

/** The copy began at 19:00 and is planned to take an hour; then catching up, comparing and a gate, until the night opens. */
const copying = (more: object = {}): RunShown =>
  run(1, {
    startedAt: START,
    steps: [step('preload', 'running', { kind: 'preload', startedAt: at('19:00:00'), ...more })],
  });

describe('the forecast of a run', () => {
  it('is the plan while nothing has begun', () => {
    expect(docs.findings).toEqual([]);
    const [first] = forecast([main({ steps: [], gates: [] })], '18:00:00').waves;
    // 21:00, after stop-jobs, intake and drain: 1, 1 and 10 minutes.
    expect(clockOf(first?.freezesAt)).toBe('11-28T21:12:00');
    expect(first?.expectedFrozenMs).toBe((1 + Math.max(5 + 4, 8) + 5 + 1) * MINUTE_MS);
  });

  it('moves with what begins late, once the wait for the window is used up', () => {
    const inTime = forecast([main(), copying()], '19:30:00').waves[0];
    expect(clockOf(inTime?.freezesAt)).toBe('11-28T21:12:00');
    const late = forecast([main(), copying()], '21:30:00').waves[0];
    expect(late?.frozenAt).toBeNull();
    // What should have ended is expected to end now; then 1 + 1 + 5 minutes of the day, 12 of the night.
    expect(clockOf(late?.freezesAt)).toBe('11-28T21:49:00');
    expect(clockOf(late?.backOutBy)).toBe(clockOf(inTime?.backOutBy));
  });

  it('goes by the rate of a copy that runs, and says what no opening holds any more', () => {
    const slow = forecast([main(), copying()], '19:30:00', { preload: 4 * 60 * MINUTE_MS });
    expect(clockOf(slow.waves[0]?.freezesAt)).toBe('11-28T23:19:00');
    const late = forecast(
      [main({ rescheduled: { night: [{ opensAt: at('21:00:00'), closesAt: at('21:05:00') }] } })],
      '20:00:00',
    );
    expect(late.unplaced).toContain('wave-1/freeze');
    expect(aheadLines(late, at('20:00:00')).join('\n')).toContain('no opening has time enough left for wave-1/freeze');
  });

  it('plans the next wave with what the wave before measured, and leaves out a wave that has switched', () => {
    const switched = run(1, {
      startedAt: START,
      downtimeMs: { machine: 1, people: 1 },
      steps: [
        step('freeze', 'done', { kind: 'freeze', startedAt: at('21:00:00'), endedAt: at('21:00:30') }),
        step('convert', 'done', { kind: 'convert', startedAt: at('21:00:30'), endedAt: at('21:20:30') }),
      ],
    });
    const { waves } = forecast([main(), switched], '21:40:00');
    expect(waves.map(({ wave }) => wave)).toEqual([2]);
    expect(waves[0]?.expectedFrozenMs).toBe((0.5 + 20 + 4 + 5 + 1) * MINUTE_MS);
    expect(aheadLines({ endsAt: at('23:00:00'), waves, unplaced: [], held: [] }, at('21:40:00')).join('\n')).toMatch(
      /expected to end at 23:00:00Z\nwave 2 \(w2\): freezes .*, for 31 min in all; back out by/,
    );
  });

  it('keeps a frozen wave where it froze, and stretches what is frozen too long', () => {
    const frozen = run(1, {
      startedAt: START,
      frozen: { at: at('21:11:00'), epoch: 4, notAfter: at('23:00:00') },
      steps: [
        ...['preload', 'catchUp', 'compare', 'open-window', 'stop-jobs', 'intake', 'drain'].map((id) =>
          step(id, 'done', { startedAt: at('20:00:00'), endedAt: at('21:10:00') }),
        ),
        step('freeze', 'done', { kind: 'freeze', startedAt: at('21:10:00'), endedAt: at('21:11:00') }),
        step('convert', 'running', { kind: 'convert', startedAt: at('21:11:00') }),
        step('debits', 'skipped'),
      ],
      gates: [gate('go-freeze', 'passed', { openedAt: at('20:30:00'), decidedAt: at('20:40:00') })],
    });
    const stretched = forecast([main(), frozen], '22:11:00');
    const [wave] = stretched.waves;
    expect(aheadLines(stretched, at('22:11:00'))[1]).toMatch(
      /^wave 1 \(w1\): frozen since 21:11:00Z, for 1 h 11 min in all$/,
    );
    expect(clockOf(wave?.freezesAt)).toBe('11-28T21:10:00');
    expect(wave?.expectedFrozenMs).toBe((61 + 4 + 5 + 1) * MINUTE_MS);
  });

  it('says how long new work has been held, against what was agreed, until it is released', () => {
    const night = (...steps: RunShown['steps']): RunShown[] => [main(), run(1, { startedAt: START, steps })];
    const intake = step('intake', 'done', { kind: 'intake', startedAt: at('21:01:00'), endedAt: at('21:02:00') });
    const said = (runs: RunShown[], now: string): string => aheadLines(forecast(runs, now), at(now)).join('\n');
    expect(said(night(intake), '21:30:00')).toContain(
      'wave 1: new work is held since 21:01:00Z: 29 min of the 2 h 00 min agreed (heldAtMost)',
    );
    expect(said(night(intake), '23:01:00')).toContain(
      'longer than the 2 h 00 min agreed (heldAtMost): go on, or roll back',
    );
    const failed = { ...intake, status: 'failed' as const, attemptedAt: at('21:20:00') };
    expect(said(night(failed), '21:30:00')).toContain('held since 21:01:00Z: 29 min of');
    const waiting = step('intake', 'waiting-go', { kind: 'intake', startedAt: at('21:01:00') });
    expect(said(night(waiting), '21:30:00')).not.toContain('held since');
    const released = step('release', 'done', { kind: 'release', startedAt: at('21:40:00'), endedAt: at('21:41:00') });
    expect(said(night(intake, released), '23:30:00')).not.toContain('held since');
  });
});
