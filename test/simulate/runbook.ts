import { conversionSchema } from '../../runbooks/schema/conversion';
import { planSchema } from '../../runbooks/schema/plan';
import { runbookSchema } from '../../runbooks/schema/runbook';
import type { Prng } from './prng';
import type { Opening } from '../../domain/window';
import type { ResolvedRun } from '../../runbooks/resolved';

export const STARTER = 'lena';
export const FROZEN_AT_MOST_MS = 45 * 60_000;

const runbook = runbookSchema.parse({
  runbook: 'simulated',
  version: 1,
  title: 'Every kind of step, two waves',
  timeZone: 'UTC',
  conversion: './conversion.yaml',
  pointOfNoReturn: 'accept',
  roles: { lead: 'own', sponsor: 'own', ops: 'own', care: 'own', vendor: 'supplier' },
  systems: {
    source: { adapter: 'postgres', urlEnv: 'SOURCE_URL', streams: 2 },
    target: { adapter: 'postgres', urlEnv: 'TARGET_URL', streams: 2 },
    jobs: { adapter: 'http', urlEnv: 'JOBS_URL' },
  },
  windows: { night: { opens: '22:00', lasts: 'PT8H' } },
  limits: { frozenAtMost: 'PT45M', heldAtMost: 'PT8H', lease: 'PT2M' },
  population: { system: 'source', from: 'old.customer', key: 'id', target: { from: 'new.customer', key: 'id' } },
  risks: [{ id: 'twice', text: 'Something happens twice', mitigation: 'Keys', owner: 'ops', closedBy: 'drain' }],
  work: { orders: { from: 'old.work', key: 'id', customer: 'customer', open: 'open', leftover: { handTo: 'ops' } } },
  before: [
    {
      phase: 'readiness',
      owner: 'lead',
      steps: [
        { id: 'scope', kind: 'task', signedBy: ['ops', 'vendor'] },
        { id: 'tests', kind: 'checklist', needs: [], owner: 'care', items: ['order', 'bill'], evidence: 'required' },
      ],
      gate: { id: 'ready', votes: ['ops', 'vendor'], ownVotes: 1, onNoGo: 'abort' },
    },
  ],
  perWave: [
    {
      phase: 'copy',
      owner: 'ops',
      steps: [
        { kind: 'preload' },
        { id: 'catch-up', kind: 'catchUp', until: { lagRows: 2 } },
        { id: 'compare-live', kind: 'verify', scope: 'live' },
      ],
      gate: { id: 'go-night', votes: ['sponsor', 'ops'], ownVotes: 2, onNoGo: 'hold' },
    },
    {
      phase: 'night',
      owner: 'ops',
      window: 'night',
      steps: [
        { id: 'opens', kind: 'window' },
        { id: 'roll-call', kind: 'checklist', items: ['sponsor', 'vendor'], due: 'PT15M' },
        { id: 'announce', kind: 'notify', to: ['care'], text: 'it begins' },
        { id: 'stop-jobs', kind: 'action', system: 'jobs', do: 'POST /stop', undo: 'POST /start', go: 'ops' },
        { id: 'debits', kind: 'task', needs: ['announce'], due: 'PT10M' },
        { kind: 'intake', needs: ['stop-jobs', 'debits'], go: 'care' },
        { kind: 'drain', work: ['orders'], atMost: 'PT5M' },
        { kind: 'freeze', go: 'lead' },
        { kind: 'convert' },
        { id: 'compare-frozen', kind: 'verify', scope: 'frozen', totals: [] },
      ],
      gate: { id: 'final', votes: ['ops', 'vendor', 'care'], ownVotes: 2, deadline: 'PT25M', onNoGo: 'rollBack' },
    },
    {
      phase: 'live',
      owner: 'ops',
      window: 'night',
      steps: [
        { kind: 'switch', go: 'lead' },
        { id: 'smoke', kind: 'checklist', owner: 'care', items: ['lookup'] },
        { kind: 'release' },
        { id: 'start-jobs', kind: 'action', system: 'jobs', do: 'POST /start', undo: 'POST /stop', go: 'ops' },
      ],
      gate: { id: 'open-doors', votes: ['ops', 'care'], ownVotes: 2, onNoGo: 'rollBack' },
    },
  ],
  after: [
    {
      phase: 'watch',
      owner: 'care',
      steps: [{ kind: 'hypercare', atLeast: 'PT6H', rollbackIn: 'night' }],
      gate: { id: 'accept', votes: ['sponsor', 'ops'], ownVotes: 2, onNoGo: 'hold' },
    },
    {
      phase: 'close',
      owner: 'lead',
      steps: [{ id: 'lessons', kind: 'task' }],
      gate: { id: 'closed', votes: ['sponsor', 'ops'], onNoGo: 'rollBack' },
    },
  ],
});

const HOUR_MS = 3_600_000;

const plan = planSchema.parse({
  plan: 'simulated-plan',
  runbook: 'simulated',
  people: [
    { id: STARTER, name: 'L', roles: ['lead', 'ops'] },
    { id: 'sven', name: 'S', roles: ['sponsor'] },
    { id: 'olga', name: 'O', roles: ['ops'] },
    { id: 'otto', name: 'P', roles: ['ops', 'care'], deputyOf: 'olga' },
    { id: 'cara', name: 'C', roles: ['care'] },
    { id: 'vera', name: 'V', roles: ['vendor'] },
  ],
  waves: [{ id: 'first' }, { id: 'rest' }],
});

const conversion = conversionSchema.parse({ entities: {} });

/** Nights of eight hours (some shorter), the first thirteen hours after `startMs`, epoch ms. */
export function nights(prng: Prng, startMs: number): Opening[] {
  return Array.from({ length: 5 }, (_, day) => {
    const opensAt = startMs + (13 + 24 * day) * HOUR_MS;
    return { opensAt, closesAt: opensAt + (prng.chance(0.15) ? prng.int(10, 100) * 60_000 : 8 * HOUR_MS) };
  });
}

/** The simulated cutover with the given openings of its one window; at a pace it is a rehearsal. */
export const simulatedRun = (night: Opening[], pace = 1): ResolvedRun => ({
  runbookHash: 'r',
  planHash: 'p',
  runbook,
  conversion,
  plan: { ...plan, mode: pace === 1 ? 'real' : 'rehearsal', pace },
  windows: { night },
});
