import type { ReportInput, ReportRun } from '../../../cli/report/input';
import { buildReport } from '../../../cli/report/build-report';
import { renderReport } from '../../../cli/report/render-report';
import type { ReportJson } from '../../../cli/report/report-json';
import type { RunState } from '../../../engine/state';
import { sampleInput } from './sample';

const changed = (change: Partial<ReportInput>): ReportJson => buildReport({ ...sampleInput(), ...change });

describe('report.json', () => {
  it('says how far the plan was off in what machines took', () => {
    const { forecast, steps } = buildReport(sampleInput());
    const freeze = steps.find(({ kind, wave }) => kind === 'freeze' && wave === 'pilot');
    expect(freeze?.planned.seconds).toBe(60);
    // The freeze, the conversion, the comparison and the switch: 1, 5, 4 and 1 minutes; the gate between is of people.
    expect(forecast.frozen).toEqual([
      { wave: 'pilot', plannedSeconds: 11 * 60, actualSeconds: 41.3 },
      { wave: 'rest', plannedSeconds: 11 * 60, actualSeconds: 63.9 },
    ]);
    const machine = steps.filter(({ kind }) => !['task', 'checklist', 'hypercare', 'window'].includes(kind));
    const off = machine.map(({ planned, actual }) => Math.abs((planned.seconds ?? 0) - (actual.seconds ?? 0)));
    expect(forecast.error).toBeCloseTo(off.reduce((a, b) => a + b) / forecast.actualSeconds, 9);
    expect(forecast.error).toBeGreaterThan(0);
  });

  it('has the keys that others read', () => {
    const report = buildReport(sampleInput());
    expect(report.outcome).toBe('live');
    expect(report.population).toEqual({
      baseline: 7_043,
      won: 31,
      departed: 22,
      moved: 7_041,
      excluded: 11,
      remaining: 0,
      missing: 0,
      duplicated: 0,
    });
    expect(report.waves.map(({ id, downtimeSeconds, deltaRows }) => ({ id, downtimeSeconds, deltaRows }))).toEqual([
      { id: 'pilot', downtimeSeconds: { machine: 41.3, people: 190 }, deltaRows: 412 },
      { id: 'rest', downtimeSeconds: { machine: 63.9, people: 240.5 }, deltaRows: 5_310 },
    ]);
    expect(report.verification).toMatchObject({ rows: 93_000, mismatches: 0 });
    expect(report.requests).toEqual({
      accepted: 4_210,
      effected: 4_210,
      held: 233,
      replayed: 233,
      pending: 0,
      lost: 0,
    });
    expect(report.rules).toEqual([expect.objectContaining({ id: 'no-flag', rows: 11, customers: 11 })]);
    expect(report.audit).toMatchObject({ entries: 311, head: sampleInput().ledger.head });
    expect(report.votes).toBe('unsigned');
  });

  it('shows what was amended under way, and says nothing where nothing was', () => {
    const amended = {
      at: Date.parse('2026-11-28T21:30:00Z'),
      approvedBy: 'ann, bo',
      what: 'step letter is new',
      adopted: true,
      runbookHash: 'a'.repeat(64),
      planHash: 'b'.repeat(64),
    };
    const report = buildReport({ ...sampleInput(), amendments: [amended] });
    expect(report.amendments).toEqual([{ ...amended, at: '2026-11-28T21:30:00.000Z' }]);
    const page = renderReport(report);
    for (const shown of ['Amendments', 'ann, bo', 'step letter is new', 'aaaaaaaaaaaa']) expect(page).toContain(shown);
    expect(renderReport(buildReport(sampleInput()))).not.toContain('Amendments');
  });

  it('survives being written and read', () => {
    const report = buildReport(sampleInput());
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('sets each step against its plan, wave by wave', () => {
    const { steps } = buildReport(sampleInput());
    const drain = steps.filter((step) => step.id === 'drain');
    expect(drain.map((step) => [step.wave, step.planned.seconds, step.actual.seconds])).toEqual([
      ['pilot', 600, 540],
      ['rest', 600, 540],
    ]);
    expect(drain[0]?.planned.start).toBe('2026-11-28T21:02:00.000Z');
    expect(steps[0]).toMatchObject({ id: 'scope', wave: null, signed: [{ role: 'ops', person: 'bo' }] });
  });

  it('keeps a step nobody planned and leaves out one that never came to be', () => {
    const input = sampleInput();
    const extra = { ...input.run.steps['scope']!, id: 'retry-scope', plannedMs: 5_000 };
    const { steps } = changed({ run: { ...input.run, steps: { 'retry-scope': extra } } });
    expect(steps.some((step) => step.id === 'scope')).toBe(false);
    expect(steps.find((step) => step.id === 'retry-scope')?.planned).toEqual({ start: null, end: null, seconds: 5 });
  });

  it('takes a measure from the gate that was opened last, or from a later reading', () => {
    const { success } = buildReport(sampleInput());
    expect(success.map(({ id, wave, gate, verdict }) => [id, wave, gate, verdict])).toEqual([
      ['disturbed', null, null, 'pass'],
      ['disturbed', 'pilot', 'open-doors', 'pass'],
      ['disturbed', 'rest', 'open-doors', 'pass'],
      ['kept', 'pilot', 'final', 'pass'],
      ['kept', 'rest', 'final', 'pass'],
    ]);
  });

  it('lists every vote with its evidence, the void ones too', () => {
    const final = buildReport(sampleInput()).gates.find((gate) => gate.id === 'final' && gate.wave === 'pilot');
    expect(final?.votes.map((vote) => [vote.person, vote.decision, vote.voided])).toEqual([
      ['bo', 'go', null],
      ['cy', 'go', 'Customers disturbed: changed'],
      ['cy', 'go', null],
    ]);
    expect(final?.votes.every((vote) => vote.digest === final.digest)).toBe(true);
  });
});

describe('the verdict', () => {
  const { census, requests, verification, ledger } = sampleInput();
  const wave = verification[0]!;

  it('is good when every promise was kept', () => {
    expect(buildReport(sampleInput()).verdict).toEqual({ ok: true, problems: [] });
  });

  const broken: [string, Partial<ReportInput>, string][] = [
    ['a missing customer', { census: { ...census, missing: 1, moved: census.moved } }, '1 customers are missing'],
    ['a customer in both systems', { census: { ...census, duplicated: 2 } }, '2 customers live in both systems'],
    ['a census that does not add up', { census: { ...census, moved: census.moved - 1 } }, 'the census does not add up'],
    ['a lost request', { requests: { ...requests, lost: 1 } }, '1 accepted requests are lost'],
    ['a pending request', { requests: { ...requests, pending: 3 } }, '3 accepted requests are still pending'],
    ['a difference', { verification: [{ ...wave, mismatches: 4 }] }, '4 rows differ between the systems'],
    ['nothing compared', { verification: [] }, 'no row was compared'],
    [
      'an unequal total',
      { verification: [{ ...wave, totals: [{ id: 'spent', equal: false }] }] },
      'totals differ: spent',
    ],
    ['a broken ledger', { ledger: { ...ledger, brokenAt: 17 } }, 'the ledger is broken at entry 17'],
    [
      'a red measure',
      { measures: [{ id: 'kept', wave: null, verdict: 'fail', shown: 'difference 3' }] },
      'kept: difference 3',
    ],
    [
      'a measure nobody read',
      { agreed: [{ id: 'other', title: 'Other', threshold: 'at most 1' }] },
      'Other: never read',
    ],
    ['a run that goes on', { outcome: null }, 'the run has not ended'],
    ['customers left in the target', { outcome: 'rolled-back' }, '7,041 customers are still in the target'],
    ['a finding of the audit', { findings: ['payment 17 twice'] }, 'payment 17 twice'],
  ];
  it.each(broken)('names %s', (_, change, problem) => {
    expect(changed(change).verdict).toEqual({ ok: false, problems: [problem] });
  });

  it('does not ask a run that went back for what only a live one must show', () => {
    const back = { ...census, moved: 0, remaining: census.moved };
    expect(
      changed({ outcome: 'rolled-back', census: back, verification: [], requests: { ...requests, pending: 2 } }).verdict
        .ok,
    ).toBe(true);
  });
});

describe('report.html', () => {
  const page = renderReport(buildReport(sampleInput()));

  it('is one page without scripts, and asks for nothing from outside', () => {
    expect(page.startsWith('<!doctype html>')).toBe(true);
    expect(page.match(/<script|<link|<iframe|<img|\son[a-z]+=|url\((?!#)|@import/i)).toBeNull();
    expect(page.match(/https?:\/\/(?!www\.w3\.org\/(2000\/svg|1999\/xlink)\")[^\s]*/)).toBeNull();
  });

  it('says the outcome before anything else, then the census as an equation', () => {
    const text = page
      .slice(page.indexOf('<main>'))
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
    expect(text.slice(0, 80)).toContain('Live – every promise that a report can see was kept.');
    expect(text).toContain('7,043 at the start + 31 won = 7,041 moved + 11 excluded + 22 departed + 0 remaining');
    expect(text).toContain('votes: unsigned');
    expect(text.match(/\bvoid: Customers disturbed: changed/g)).toHaveLength(8);
  });

  it('draws a picture of each phase with words for those who do not see it', () => {
    const figures = page.match(/<figure>[\s\S]*?<\/figure>/g) ?? [];
    expect(figures).toHaveLength(8);
    for (const figure of figures)
      expect(figure).toMatch(/<svg role="img" aria-label="Phase [^"]*planned [^"]*took [^"]*"/);
    expect(figures[2]).toContain('9 min, planned 10 min');
    expect(figures[2]).toContain('currentColor');
    expect(page).not.toContain('#010203');
  });

  it('writes everything it was given as text, never as markup', () => {
    const input = sampleInput();
    const evil = '"><script>alert(1)</script><b a=\'';
    const gate = input.run.gates['accept']!;
    const steps = { scope: { ...input.run.steps['scope']!, title: evil, problem: evil } };
    const run: ReportRun = {
      ...input.run,
      steps,
      gates: {
        accept: {
          ...gate,
          evidence: [{ id: 'x', kind: 'measure', verdict: 'fail', title: evil, shown: evil }],
          votes: [{ ...gate.votes[0]!, reason: evil }],
        },
      },
      incidents: { i: { id: 'i', severity: 'high', title: evil, raised: { person: evil, at: 0 }, resolved: null } },
      rollback: { by: evil, reason: evil, at: 0 },
    };
    const shown = renderReport(
      changed({
        run,
        findings: [evil],
        cutover: evil,
        rules: [{ ...input.rules[0]!, why: evil }],
        people: [{ id: 'bo', name: evil, roles: [] }],
      }),
    );
    expect(shown).not.toContain('<script');
    expect(shown).not.toContain('<b a=');
    expect(shown).toContain('&lt;script&gt;');
  });

  it('shows a rollback with who asked and why, and a broken promise in words', () => {
    const input = sampleInput();
    const run = { ...input.run, rollback: { by: 'ann', reason: 'bills were wrong', at: input.at } };
    const shown = renderReport(changed({ outcome: 'rolled-back', run }))
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
    expect(shown).toContain('Rolled back – one thing is not as promised: 7,041 customers are still in the target');
    expect(shown).toContain('Rollback asked for by ann');
    expect(shown).toContain('bills were wrong');
  });
});

describe('the input', () => {
  it('takes the engine’s states as they are', () => {
    const accepts = (state: RunState): ReportRun => state;
    expect(accepts).toBeDefined();
  });
});
