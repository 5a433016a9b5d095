import { parse, parseDocument } from 'yaml';
import { machineDurations, withDurations } from '../../cli/machine-durations';
import { run, step } from './support/status';

const took = (startedAt: number, endedAt: number): { startedAt: number; endedAt: number } => ({ startedAt, endedAt });

describe('the durations a run proposes', () => {
  const measured = machineDurations([
    run(null, {
      steps: [
        step('training', 'done', { kind: 'task', ...took(1_000, 90_000) }),
        step('preload', 'done', { kind: 'preload', plannedMs: 600_000, ...took(1_000, 13_345) }),
      ],
    }),
    run(1, {
      steps: [
        step('night-opens', 'done', { kind: 'window', ...took(1_000, 90_000) }),
        // Failed at first: the attempt that ended it counts.
        step('freeze', 'done', { kind: 'freeze', ...took(0, 5_000), attemptedAt: 1_000 }),
        step('convert', 'running', { kind: 'convert', startedAt: 1_000 }),
        step('verify', 'skipped', { kind: 'verify', ...took(1_000, 2_000) }),
      ],
    }),
    run(2, { steps: [step('freeze', 'done', { kind: 'freeze', ...took(1_000, 3_000) })] }),
  ]);

  it('are those of machine steps that ended, the longest of several waves, beside what was planned', () => {
    expect(measured).toEqual([
      { id: 'preload', wave: null, plannedMs: 600_000, measuredMs: 12_345 },
      { id: 'freeze', wave: 1, plannedMs: 60_000, measuredMs: 4_000 },
    ]);
  });

  it('take the place of the old ones in a plan, whose other durations and comments stay', () => {
    const plan = parseDocument('plan: next # the real night\ndurations:\n  preload: PT9M\n  training: PT1H # people\n');
    const text = withDurations(plan, measured);
    expect(text).toContain('plan: next # the real night');
    expect(text).toContain('training: PT1H # people');
    expect(parse(text)).toEqual({
      plan: 'next',
      durations: { preload: 'PT12.345S', training: 'PT1H', freeze: 'PT4S' },
    });
  });

  it('are a block to paste where there is no plan', () => {
    expect(withDurations(parseDocument(''), measured)).toBe('durations:\n  preload: PT12.345S\n  freeze: PT4S\n');
  });
});
