import fc from 'fast-check';
import {
  backOutBy,
  frozenMs,
  neededMs,
  remainingDisruptiveMs,
  schedulePhase,
  type PlannedPhase,
  type PlannedStep,
} from '../../domain/forecast';

const step = (id: string, durationMs: number, needs: string[], disruptive = false): PlannedStep => ({
  id,
  needs,
  durationMs,
  disruptive,
  waitsForWindow: false,
});
const night: PlannedPhase = {
  id: 'night',
  window: 'night',
  steps: [
    step('jobs', 10, [], true),
    step('debits', 50, ['jobs']),
    step('freeze', 5, ['jobs'], true),
    step('convert', 20, ['freeze']),
    step('compare', 10, ['convert', 'debits']),
  ],
  gate: { id: 'final', durationMs: 7 },
};
const live: PlannedPhase = {
  id: 'live',
  window: 'night',
  steps: [step('switch', 3, [], true), step('smoke', 40, ['switch'])],
  gate: { id: 'doors', durationMs: 9 },
};

describe('the forecast', () => {
  it('starts each step when its last need ends, and the gate after the last step', () => {
    const scheduled = schedulePhase(night, 1_000);
    expect(scheduled.steps.map((each) => [each.id, each.plannedStart, each.plannedEnd])).toEqual([
      ['jobs', 1_000, 1_010],
      ['debits', 1_010, 1_060],
      ['freeze', 1_010, 1_015],
      ['convert', 1_015, 1_035],
      ['compare', 1_060, 1_070],
    ]);
    expect(scheduled.gate).toMatchObject({ plannedStart: 1_070, plannedEnd: 1_077, critical: true });
  });

  it('names the steps that hold up the end', () => {
    const scheduled = schedulePhase(night, 0);
    expect(scheduled.criticalPath).toEqual(['jobs', 'debits', 'compare', 'final']);
    expect(scheduled.steps.filter((each) => each.critical).map((each) => each.id)).toEqual([
      'jobs',
      'debits',
      'compare',
    ]);
  });

  it('lengthens the phase by what a critical step is lengthened, and by nothing for the others with slack', () => {
    const longer = (id: string): number =>
      schedulePhase(
        {
          ...night,
          steps: night.steps.map((each) => (each.id === id ? { ...each, durationMs: each.durationMs + 1 } : each)),
        },
        0,
      ).plannedEnd;
    const before = schedulePhase(night, 0).plannedEnd;
    expect(['jobs', 'debits', 'compare'].map(longer)).toEqual([before + 1, before + 1, before + 1]);
    expect(['freeze', 'convert'].map(longer)).toEqual([before, before]);
  });

  it('refuses steps that wait for each other', () => {
    expect(() => schedulePhase({ ...night, steps: [step('a', 1, ['b']), step('b', 1, ['a'])] }, 0)).toThrow(RangeError);
  });

  it('counts what is left until the last disruptive step has ended, the gate between included', () => {
    expect(remainingDisruptiveMs([night, live], { done: new Set() })).toBe(70 + 7 + 3);
    expect(remainingDisruptiveMs([night, live], { done: new Set(['jobs']) })).toBe(60 + 7 + 3);
    expect(remainingDisruptiveMs([night, live], { done: new Set(['jobs']), spentMs: { debits: 40 } })).toBe(35 + 7 + 3);
    expect(
      remainingDisruptiveMs([night, live], {
        done: new Set(['jobs', 'debits', 'freeze', 'convert', 'compare', 'final']),
      }),
    ).toBe(3);
    expect(remainingDisruptiveMs([night], { done: new Set() })).toBe(15);
  });

  it('asks for time to finish and to back out, and for none when nothing disruptive is left', () => {
    expect(neededMs([live], { done: new Set() }, 100)).toBe(103);
    expect(neededMs([live], { done: new Set(['switch']) }, 100)).toBe(0);
    // It should have ended by now: it is still to be backed out of.
    expect(neededMs([live], { done: new Set(), spentMs: { switch: 1_000 } }, 100)).toBe(100);
    expect(backOutBy({ opensAt: 0, closesAt: 500 }, 100)).toBe(400);
  });

  it('freezes from the start of the freeze to the end of the switch', () => {
    const first = schedulePhase(night, 0);
    const second = schedulePhase(live, first.plannedEnd);
    expect(frozenMs(first.steps[2], second.steps[0])).toBe(80 - 10);
    expect(frozenMs(undefined, second.steps[0])).toBeNull();
  });

  it('never starts a step before its needs have ended, whatever the graph', () => {
    const graph = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.array(fc.nat(20), { maxLength: 3 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(graph, (nodes) => {
        const steps = nodes.map(([ms, needs], index) =>
          step(
            `s${index}`,
            ms,
            needs.filter((need) => need < index).map((need) => `s${need}`),
          ),
        );
        const scheduled = schedulePhase({ id: 'p', window: null, steps, gate: null }, 0);
        const end = new Map(scheduled.steps.map((each) => [each.id, each.plannedEnd]));
        steps.forEach((each, index) =>
          each.needs.forEach((need) =>
            expect(scheduled.steps[index]!.plannedStart).toBeGreaterThanOrEqual(end.get(need)!),
          ),
        );
        const onPath = scheduled.steps
          .filter((each) => each.critical)
          .reduce((sum, each) => sum + each.plannedEnd - each.plannedStart, 0);
        expect(onPath).toBe(scheduled.plannedEnd);
      }),
    );
  });
});
