import type { StepState } from '../../../engine/state';
import type { StatusAhead } from '../../../cli/forecast';
import type { GateShown, RunShown } from '../../../cli/run-status';

export const step = (id: string, status: StepState['status'], more: Partial<StepState> = {}): StepState => ({
  id,
  phase: 'night',
  kind: 'task',
  title: id,
  owner: 'ops',
  status,
  occurrence: 1,
  plannedMs: 60_000,
  startedAt: null,
  endedAt: null,
  goRole: null,
  go: null,
  signedBy: [],
  signed: {},
  items: [],
  checks: {},
  problem: null,
  progress: null,
  result: null,
  ...more,
});

export const gate = (id: string, status: GateShown['status'], more: Partial<GateShown> = {}): GateShown => ({
  id,
  phase: 'night',
  status,
  roles: ['ops'],
  onNoGo: 'hold',
  openedAt: null,
  deadline: null,
  decidedAt: null,
  evidence: [],
  digest: null,
  votes: [],
  ...more,
});

const PARENT = 'cutover/shop/night-1';

export const run = (wave: number | null, more: Partial<RunShown> = {}): RunShown => ({
  workflowId: wave === null ? PARENT : `${PARENT}/wave-${wave}`,
  isDead: false,
  wave,
  documents: { runbookHash: 'r', planHash: 'p', version: 1 },
  amendment: null,
  status: 'running',
  outcome: null,
  phase: 'night',
  startedBy: 'ann',
  startedAt: Date.parse('2026-11-28T21:00:00Z'),
  steps: [],
  gates: [],
  waitsFor: [],
  incidents: {},
  paused: null,
  rollback: null,
  rescheduled: {},
  pointOfNoReturnPassed: false,
  frozen: null,
  backOutBy: null,
  downtimeMs: null,
  verification: null,
  notices: [],
  ...more,
});

export const status = (runs: RunShown[], more: Partial<StatusAhead> = {}): StatusAhead => ({
  forecast: null,
  cutover: 'night-1',
  workflowId: PARENT,
  outcome: null,
  status: 'running',
  source: 'live',
  failure: null,
  startedBy: 'ann',
  startedAt: Date.parse('2026-11-28T21:00:00Z'),
  waves: [],
  runs,
  rollbacks: [],
  ...more,
});
