import { readFile } from 'node:fs/promises';
import type { TrafficSummary } from '../traffic/counts';
import { AT_LEAST } from './lead';

export interface Evidence {
  /** What the run was meant to end as. */
  expected: 'live' | 'rolled-back';
  outcome: string | null;
  reportFile: string;
  traffic: TrafficSummary;
  audit: { ok: boolean; findings: { code: string; message: string; customers: number }[] };
  prober: { violations: number; probes: number };
  /** False: the run was ended early on purpose, so not every custody state was long enough. */
  fullNight: boolean;
}

/** Every promise with whether it held; the demo exits 0 only when all did. */
export async function judgeDemo(evidence: Evidence): Promise<{ promise: string; held: boolean; shown: string }[]> {
  const report = JSON.parse(await readFile(evidence.reportFile, 'utf8')) as Report;
  const { population: people, verification, requests, audit } = report;
  const sum = people.moved + people.excluded + people.departed + people.remaining;
  const { traffic } = evidence;
  const say = (promise: string, held: boolean, shown: string): { promise: string; held: boolean; shown: string } => ({
    promise,
    held,
    shown,
  });
  return [
    say(
      'outcome',
      evidence.outcome === evidence.expected,
      `${evidence.outcome ?? 'none'}, expected ${evidence.expected}`,
    ),
    owner(evidence.prober, report),
    say(
      'CONSERVE',
      people.baseline + people.won === sum && people.missing === 0 && people.duplicated === 0,
      `${people.baseline} + ${people.won} won = ${people.moved} moved + ${people.excluded} excluded + ${people.departed} departed + ${people.remaining} remaining; missing ${people.missing}, duplicated ${people.duplicated}`,
    ),
    say(
      'CONTENT',
      verification.mismatches === 0 && (evidence.outcome !== 'live' || verification.rows > 0),
      `${verification.rows} rows compared, ${verification.mismatches} differ`,
    ),
    say(
      'WORK',
      requests.lost === 0 && requests.pending === 0,
      `${requests.accepted} accepted, ${requests.effected} effected, ${requests.held} held, ${requests.replayed} replayed, ${requests.pending} pending, ${requests.lost ?? 0} lost`,
    ),
    say(
      'auditor',
      evidence.audit.ok,
      evidence.audit.findings.map((finding) => `${finding.code} (${finding.customers})`).join(', ') ||
        'nothing lost, nothing twice, money equal to the cent',
    ),
    say('AUDIT', audit.entries > 0 && !audit.brokenAt, `${audit.entries} entries, head ${audit.head.slice(0, 12)}`),
    ...(evidence.fullNight ? loadPromises(traffic) : []),
  ];
}

/** The prober begins with the guards, and they with the first preload: a run that went back before it has nothing to probe. */
function owner(prober: Evidence['prober'], { steps }: Report): { promise: string; held: boolean; shown: string } {
  const { probes, violations } = prober;
  const guarded = steps.some((step) => step.kind === 'preload' && step.actual.start !== null);
  return {
    promise: 'OWNER',
    held: violations === 0 && (probes > 0 || !guarded),
    shown: guarded ? `${probes} probes, ${violations} with two owners` : 'nothing was guarded yet: the source alone',
  };
}

const loadPromises = (traffic: TrafficSummary): { promise: string; held: boolean; shown: string }[] => [
  {
    promise: 'load',
    held: traffic.perSecond >= AT_LEAST.perSecond,
    shown: `${traffic.perSecond.toFixed(0)} operations a second`,
  },
  {
    promise: 'kinds',
    held: Object.values(traffic.fewest).every((count) => count >= AT_LEAST.eachKind),
    shown: `fewest of a kind: source ${traffic.fewest.source}, moving ${traffic.fewest.moving}, target ${traffic.fewest.target}`,
  },
  { promise: 'held', held: traffic.held >= AT_LEAST.held, shown: `${traffic.held} requests held` },
];

interface Report {
  population: Record<
    'baseline' | 'won' | 'moved' | 'excluded' | 'departed' | 'remaining' | 'missing' | 'duplicated',
    number
  >;
  verification: { rows: number; mismatches: number };
  requests: Record<'accepted' | 'effected' | 'held' | 'replayed' | 'pending', number> & { lost: number | null };
  audit: { entries: number; head: string; brokenAt?: unknown };
  steps: { kind: string; actual: { start: string | null } }[];
}
