import { overallStatus } from '../../cli/run-status';
import { brief } from '../../cli/show/brief';
import { changesOf } from '../../cli/show/changes';
import { clock, span } from '../../cli/show/format';
import { statusTables } from '../../cli/show/status-tables';
import { fakeCli } from './support/fake-cli';
import { gate, run, status, step } from './support/status';

const NOW = Date.parse('2026-11-28T23:00:00Z');
const frozenWave = run(1, {
  status: 'waiting-for-person',
  phase: 'night',
  steps: [step('freeze', 'done'), step('convert', 'running', { startedAt: NOW - 30_000 }), step('switch', 'pending')],
  gates: [
    gate('final', 'open', {
      digest: '3f9a1c2077aa55bb',
      evidence: [
        {
          id: 'v',
          kind: 'verification',
          verdict: 'fail',
          fingerprint: 'x',
          title: 'Both sides equal',
          shown: '10 rows compared, 1 differ',
        },
      ],
      votes: [{ person: 'bo', decision: 'go', reason: null, digest: 'd', at: NOW - 1_000, voided: null }],
    }),
  ],
  waitsFor: ['gate final: votes of ops (bo)'],
  frozen: { at: NOW - 300_000, epoch: 4, notAfter: NOW + 3_600_000 },
  backOutBy: NOW + 1_800_000,
});
const night = status([run(null, { phase: 'watch' }), frozenWave], {
  status: 'waiting-for-person',
  waves: [
    {
      ...{ wave: 1, name: 'pilot', status: 'running', phase: 'night', frozenAt: NOW - 300_000, switchedAt: null },
      ...{ verification: null, deltaRows: 0, downtimeMs: null, rollback: null },
    },
  ],
});

describe('the paragraph for the bridge', () => {
  it('says where we are, what customers feel, until when we can go back, and who is waited for', () => {
    expect(brief(night, NOW)).toBe(
      'night-1 is waiting for people in wave 1 of 1 (pilot), phase night, 2 h 00 min after its start. ' +
        '1 of 3 steps are done; running now: convert. ' +
        'Customers of this wave have been frozen for 5 min; we back out by 23:30:00Z at the latest, 30 min are left. ' +
        'We wait for: gate final: votes of ops (bo). Going back is possible.',
    );
  });

  it('names a failed step, open incidents and a way back that is stuck', () => {
    const text = brief(
      status([run(null), run(1, { steps: [step('convert', 'failed', { problem: 'row 7 has no tariff' })] })], {
        rollbacks: [{ workflowId: 'x', wave: 1, status: 'waiting-for-person', done: [], problem: 'thaw: no answer' }],
      }),
      NOW,
    );
    expect(text).toContain('Step convert has failed: row 7 has no tariff.');
    expect(text).toContain('The way back waits for a person: thaw: no answer.');
  });

  it('says how it ended', () => {
    expect(brief(status([run(null)], { outcome: 'rolled-back', status: 'rolled-back' }), NOW)).toMatch(
      /^night-1 has ended: rolled-back\./,
    );
  });
});

describe('the tables', () => {
  const text = statusTables(fakeCli(), night);

  it('show each step, the evidence of an open gate with its digest, and the votes', () => {
    expect(text).toMatch(/convert\s+running/);
    expect(text).toContain('evidence of gate final, digest 3f9a1c2077aa');
    expect(text).toMatch(/fail\s+verification\s+Both sides equal\s+10 rows compared, 1 differ/);
    expect(text).toContain('bo: go');
    expect(text).toContain('frozen for 5 min; back out by 23:30:00Z (in 30 min)');
  });

  it('hold no colours when none are wanted', () => {
    expect(text).not.toContain('\u001b');
  });

  it('ask nobody for anything in a run that is dead, and still show what a wave that lives waits for', () => {
    const dead = status(
      [
        run(null, { isDead: true }),
        { ...frozenWave, isDead: true, waitsFor: [] },
        run(2, { waitsFor: ['release failed: no answer'] }),
      ],
      { source: 'dead', status: 'dead' },
    );
    const shown = statusTables(fakeCli(), dead);
    expect(shown).toMatch(/^night-1 {2}dead .*\n.*its run was terminated or failed/s);
    expect(shown).toMatch(/Wave 1 .*dead/);
    expect(shown).not.toMatch(/back out by|evidence of gate/);
    expect(shown).toContain('waits for:\n  - release failed: no answer');
    const failed = { ...dead, failure: 'no plan 12 in control' };
    expect(statusTables(fakeCli(), failed)).toContain('it failed: no plan 12 in control');
    expect(brief(failed, NOW)).toContain('It failed: no plan 12 in control.');
    expect(brief(dead, NOW)).toMatch(/^night-1 is dead: its run was.*We wait for: release failed: no answer\.$/s);
  });

  it('warn when they show what was saved', () => {
    expect(statusTables(fakeCli(), { ...night, source: 'saved' })).toContain('no worker answers');
  });
});

describe('what changed between two looks', () => {
  it('is everything that is not pending at first, then only what is new', () => {
    expect(changesOf(null, night).map((change) => change.text)).toEqual([
      'freeze: done',
      'convert: running',
      'gate final: bo votes go',
      'gate final: open',
      'customers are frozen',
    ]);
    expect(changesOf(night, night)).toEqual([]);
    const later = status(
      [
        night.runs[0] ?? run(null),
        {
          ...frozenWave,
          frozen: null,
          steps: [
            step('freeze', 'done'),
            step('convert', 'failed', { problem: 'no tariff' }),
            step('switch', 'pending'),
          ],
          gates: frozenWave.gates.map((each) => ({
            ...each,
            votes: each.votes.map((vote) => ({ ...vote, voided: 'Both sides equal: was pass, now fail' })),
          })),
        },
      ],
      { outcome: 'rolled-back' },
    );
    expect(changesOf(night, later).map((change) => change.text)).toEqual([
      'convert: failed: no tariff',
      'gate final: the vote of bo is void: Both sides equal: was pass, now fail',
      'customers are no longer frozen',
      'ended: rolled-back',
    ]);
  });
});

describe('words for times and states', () => {
  it('keeps spans short', () => {
    expect([45_000, 119_000, 720_000, 3_900_000, 5 * 86_400_000].map(span)).toEqual([
      '45 s',
      '119 s',
      '12 min',
      '1 h 05 min',
      '5 d 0 h',
    ]);
  });

  it('shows the date of other days only', () => {
    expect([clock(NOW, NOW), clock(NOW + 86_400_000, NOW), clock(null, NOW)]).toEqual([
      '23:00:00Z',
      '2026-11-29 23:00Z',
      '',
    ]);
  });

  it('lets a wave that waits for people speak for the whole', () => {
    expect(overallStatus([run(null), run(1, { status: 'waiting-for-person' })])).toBe('waiting-for-person');
    expect(overallStatus([run(null, { status: 'paused' }), run(1)])).toBe('paused');
    expect(overallStatus([run(null), run(1, { status: 'live' })])).toBe('running');
  });
});
