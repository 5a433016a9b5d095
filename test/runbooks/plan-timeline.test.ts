import { parseDocuments } from '../../runbooks/load';
import { planTimeline, type Timeline } from '../../runbooks/plan-timeline/plan-timeline';
import { resolveRun } from '../../runbooks/windows';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from './fixtures/tiny';

const MINUTE_MS = 60_000;
const NOW_MS = Date.parse('2026-11-24T09:00:00Z');

function plan(
  edit: (texts: { runbook: string; plan: string }) => { runbook: string; plan: string } = (texts) => texts,
  measured = {},
): Timeline {
  const texts = edit({ runbook: TINY_RUNBOOK, plan: TINY_PLAN });
  const docs = parseDocuments({
    ...texts,
    conversion: TINY_CONVERSION,
    files: { runbook: 'r', conversion: 'c', plan: 'p' },
  });
  expect(docs.findings).toEqual([]);
  const { runbook, conversion, plan: people } = docs;
  const resolved = resolveRun(
    { runbook: runbook!, conversion: conversion!, plan: people! },
    { runbookHash: 'r', planHash: 'p' },
    NOW_MS,
  );
  return planTimeline(resolved, NOW_MS, { measured });
}
const iso = (ms: number | undefined): string => new Date(ms ?? 0).toISOString();
const step = (timeline: Timeline, id: string, wave: number | null = 1) =>
  timeline.steps.find((each) => each.id === id && each.wave === wave);

describe('the planned timeline', () => {
  it('waits with the night for the window, after the copy by day', () => {
    const timeline = plan();
    expect(iso(step(timeline, 'scope', null)?.plannedStart)).toBe('2026-11-24T09:00:00.000Z');
    expect(iso(step(timeline, 'preload')?.plannedStart)).toBe('2026-11-24T09:10:00.000Z');
    expect(iso(step(timeline, 'open-window')?.plannedStart)).toBe('2026-11-28T21:00:00.000Z');
    expect(iso(step(timeline, 'switch')?.plannedEnd)).toBe(iso(Date.parse('2026-11-28T21:28:00Z')));
    expect(timeline.unplaced).toEqual([]);
  });

  it('expects the frozen time from the freeze to the switch, the gate between included', () => {
    const timeline = plan();
    const frozen = 1 + Math.max(5 + 4, 8) + 5 + 1;
    expect(timeline.expectedFrozenMs).toBe(frozen * MINUTE_MS);
    expect(timeline.waves[0]).toMatchObject({ wave: 1, name: 'w1', expectedFrozenMs: frozen * MINUTE_MS });
  });

  it('backs out with time to freeze, convert and switch once more, unless the plan knows better', () => {
    expect(iso(plan().backOutBy ?? 0)).toBe('2026-11-29T03:53:00.000Z');
    const known = plan(({ runbook, plan: text }) => ({ runbook, plan: `${text}durations: { rollback: PT45M }\n` }));
    expect(iso(known.backOutBy ?? 0)).toBe('2026-11-29T03:15:00.000Z');
  });

  it('divides what people take by the pace of a rehearsal, and nothing else', () => {
    const timeline = plan(({ runbook, plan: text }) => ({ runbook, plan: `${text}mode: rehearsal\npace: 60\n` }));
    const lasts = (id: string, wave: number | null = 1): number =>
      (step(timeline, id, wave)?.plannedEnd ?? 0) - (step(timeline, id, wave)?.plannedStart ?? 0);
    expect([lasts('debits'), lasts('final')]).toEqual([8_000, 5_000]);
    expect(lasts('hypercare', null)).toBe(2 * 60 * MINUTE_MS);
    expect([lasts('preload'), lasts('convert')]).toEqual([60 * MINUTE_MS, 5 * MINUTE_MS]);
    expect(timeline.expectedFrozenMs).toBe((1 + 5 + 4 + 1) * MINUTE_MS + 5_000);
  });

  it('prefers measured durations to planned ones, and planned ones to those of the kind', () => {
    const timeline = plan(
      ({ runbook, plan: text }) => ({ runbook, plan: `${text}durations: { preload: PT20M, compare: PT9M }\n` }),
      { compare: 2 * MINUTE_MS },
    );
    const lasts = (id: string): number =>
      (step(timeline, id)!.plannedEnd - step(timeline, id)!.plannedStart) / MINUTE_MS;
    expect([lasts('preload'), lasts('compare'), lasts('convert'), lasts('catchUp')]).toEqual([20, 2, 5, 1]);
  });

  it('names the critical path through all parts', () => {
    expect(plan().criticalPath).toEqual([
      ...['scope', 'ready', 'wave-1/preload', 'wave-1/catchUp', 'wave-1/compare', 'wave-1/go-freeze'],
      ...['wave-1/open-window', 'wave-1/stop-jobs', 'wave-1/intake', 'wave-1/drain', 'wave-1/freeze', 'wave-1/convert'],
      ...[
        'wave-1/compare-frozen',
        'wave-1/final',
        'wave-1/switch',
        'wave-1/smoke',
        'wave-1/release',
        'wave-1/open-doors',
      ],
      ...['hypercare', 'accept'],
    ]);
  });

  it('gives the second wave the next opening that leaves it time to back out', () => {
    const long = { drain: 5 * 60 * MINUTE_MS };
    const two = ({ runbook, plan: text }: { runbook: string; plan: string }) => ({
      runbook,
      plan: text.replace('- { id: w1 }', '- { id: w1, where: customer_id < 5 }\n  - { id: w2 }'),
    });
    const timeline = plan(two, long);
    expect(iso(step(timeline, 'stop-jobs', 1)?.plannedStart)).toBe('2026-11-28T21:00:00.000Z');
    expect(iso(step(timeline, 'stop-jobs', 2)?.plannedStart)).toBe('2026-12-05T21:00:00.000Z');
    expect(timeline.waves.map((wave) => iso(wave.backOutBy ?? 0))).toEqual([
      '2026-11-29T03:53:00.000Z',
      '2026-12-06T03:53:00.000Z',
    ]);
  });

  it('says which steps no opening has room for', () => {
    const timeline = plan(undefined, { drain: 8 * 60 * MINUTE_MS });
    expect(timeline.unplaced).toContain('wave-1/stop-jobs');
  });
});
