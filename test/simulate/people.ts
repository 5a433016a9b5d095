import type { GateState, RunState, StepState } from '../../engine/state';
import type { RunMessage } from '../../engine/messages';
import type { ResolvedRun } from '../../runbooks/resolved';
import type { Prng } from './prng';
import { STARTER } from './runbook';
import type { Run, Runs } from './runs';

const MINUTE_MS = 60_000;

/** One thing somebody could do now, and who waits for it. */
export interface OpenItem {
  key: string;
  person: string;
  message: RunMessage;
  run: Run;
}

const holdersOf = (run: ResolvedRun, role: string): string[] =>
  run.plan.people.filter((person) => person.roles.includes(role)).map((person) => person.id);

function stepItems(runs: Run, documents: ResolvedRun, step: StepState): OpenItem[] {
  const item = (person: string, message: RunMessage): OpenItem => ({
    key: `${runs.wave}/${step.id}/${message.kind}`,
    person,
    message,
    run: runs,
  });
  const anyOf = (role: string, message: (person: string) => RunMessage): OpenItem[] =>
    (step.assigned?.[role] ? [step.assigned[role]] : holdersOf(documents, role)).map((person) =>
      item(person, message(person)),
    );
  if (step.status === 'waiting-go' && step.goRole)
    return anyOf(step.goRole, (person) => ({ kind: 'go', person, step: step.id }));
  if (step.status === 'failed') return [item(STARTER, { kind: 'retryStep', person: STARTER, step: step.id })];
  const checks = step.items
    .filter((name) => !step.checks[name]?.ok)
    .filter(() => step.status === 'waiting-people' || step.status === 'done')
    .flatMap((name) =>
      anyOf(step.owner, (person) => ({
        kind: 'recordCheck',
        person,
        step: step.id,
        item: name,
        ok: true,
        evidence: 'seen',
      })),
    );
  if (checks.length > 0 || step.status !== 'waiting-people' || step.kind !== 'task') return checks;
  return step.signedBy
    .filter((role) => !step.signed[role])
    .flatMap((role) => anyOf(role, (person) => ({ kind: 'completeTask', person, step: step.id })));
}

/** People vote go only on evidence without a red item, and again when their vote is void. */
function gateItems(run: Run, documents: ResolvedRun, gate: GateState): OpenItem[] {
  if (gate.status !== 'open' && gate.status !== 'held') return [];
  if (gate.digest === null || gate.evidence.some((item) => item.verdict === 'fail')) return [];
  const digest = gate.digest;
  return gate.roles.flatMap((role) =>
    holdersOf(documents, role)
      .filter((person) => person !== STARTER)
      .filter((person) => {
        const vote = gate.votes.find((candidate) => candidate.person === person);
        return !vote || vote.voided !== null || vote.decision === 'no-go';
      })
      .map((person) => ({
        key: `${run.wave}/${gate.id}/${role}`,
        person,
        message: { kind: 'vote' as const, person, gate: gate.id, decision: 'go' as const, digest },
        run,
      })),
  );
}

/** Everything that waits for somebody in the runs that are open. */
export function openItems(runs: Runs, documents: ResolvedRun): OpenItem[] {
  return runs.all().flatMap((run) => {
    if (!run.open) return [];
    const { state } = run.context;
    const incidents = Object.values(state.incidents)
      .filter((incident) => !incident.resolved)
      .map((incident) => item(run, 'sven', { kind: 'resolveIncident', person: 'sven', incident: incident.id }));
    return [
      ...(state.paused ? [item(run, STARTER, { kind: 'resume', person: STARTER })] : []),
      ...incidents,
      ...Object.values(state.steps).flatMap((step) => stepItems(run, documents, step)),
      ...Object.values(state.gates).flatMap((gate) => gateItems(run, documents, gate)),
      ...windowItems(run, state),
      ...confirmItems(run, state),
    ];
  });
}

const item = (run: Run, person: string, message: RunMessage): OpenItem => ({
  key: `${run.wave}/${message.kind}/${'incident' in message ? message.incident : ''}`,
  person,
  message,
  run,
});

/** A step whose window never opens again: two own people agree on another night. */
function windowItems(run: Run, state: RunState): OpenItem[] {
  const stuck = Object.values(state.steps).some(
    (step) => step.status === 'waiting-window' && step.problem?.includes('no later opening'),
  );
  return stuck ? reschedules(run, run.runtime.now() + MINUTE_MS, 8 * 60 * MINUTE_MS) : [];
}

/** A new opening asked for by two own people; whole minutes, so that both ask for the same. */
export function reschedules(run: Run, from: number, lastsMs: number): OpenItem[] {
  const opensAt = Math.ceil(from / (60 * MINUTE_MS)) * 60 * MINUTE_MS;
  return ['olga', 'cara', 'sven'].map((person) => ({
    key: `${run.wave}/reschedule/${person}`,
    person,
    message: { kind: 'reschedule', person, window: 'night', opensAt, closesAt: opensAt + lastsMs },
    run,
  }));
}

/** A rollback that waits for its hours: own people confirm it after having slept on it. */
function confirmItems(run: Run, state: RunState): OpenItem[] {
  if (state.status !== 'rolling-back' || !state.rollback) return [];
  const waits = state.notices.some((notice) => notice.text.startsWith('the rollback waits'));
  if (!waits || state.rollback.confirmedBy.length >= 2) return [];
  return ['olga', 'sven', 'cara']
    .filter((person) => !state.rollback?.confirmedBy.includes(person))
    .map((person) => ({
      key: `${run.wave}/confirm/${person}`,
      person,
      message: { kind: 'requestRollback', person, reason: 'confirmed' },
      run,
    }));
}

/** How long somebody takes to look and answer, ms: usually minutes, sometimes most of an hour. */
export const hesitation = (prng: Prng): number =>
  prng.chance(0.9) ? prng.int(5_000, 4 * MINUTE_MS) : prng.int(4 * MINUTE_MS, 50 * MINUTE_MS);
