import { evidenceDigest, type EvidenceItem } from '../domain/evidence';
import { stepId } from '../runbooks/plan-timeline/phases';
import type { Phase } from '../runbooks/schema/step';
import { STEP_KINDS } from '../domain/step-kinds';
import type { Context } from './context';
import { calendarMs } from './context';
import { openIncidents, phasesOf } from './initial-state';
import { messageOf } from './message-of';
import { Cancelled } from './runtime';
import type { RunState, StepState } from './state';
import { durationMs } from '../runbooks/schema/common';

/** Everything a gate shows: what the engine knows, and the measures read from the systems now. */
export async function gatherEvidence(
  context: Context,
  phase: Phase,
): Promise<{ items: EvidenceItem[]; digest: string }> {
  const measured = phase.gate ? await measuresOf(context, phase.gate.id) : [];
  const items = [
    ...stepItems(context, phase),
    ...verificationItems(context),
    ...incidentItems(context),
    ...riskItems(context),
    ...measured,
  ];
  return { items, digest: evidenceDigest(items) };
}

/** Measures that cannot be read are red, never absent: the gate stays shut, and reads again with its next evidence. */
async function measuresOf({ runtime, state }: Context, gate: string): Promise<EvidenceItem[]> {
  try {
    const downtimeMs = longestDowntimeMs(state);
    return await runtime.cancellable(
      () => runtime.activities.readMeasures({ cutover: state.cutover, wave: state.wave, gate, downtimeMs }),
      () => state.rollback !== null,
    );
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    const shown = `cannot be read: ${messageOf(error)}`;
    return [{ id: 'measures', kind: 'measure', verdict: 'fail', fingerprint: 'unreadable', title: 'Measures', shown }];
  }
}

/** A wave's own downtime; for the cutover the longest of its waves. Milliseconds; null before anything was frozen. */
function longestDowntimeMs(state: RunState): number | null {
  const spans = [state.downtimeMs, ...state.waves.map((wave) => wave.downtimeMs)].filter((span) => span !== null);
  return spans.length === 0 ? null : Math.max(...spans.map(({ machine, people }) => machine + people));
}

function stepItems(context: Context, phase: Phase): EvidenceItem[] {
  return phase.steps
    .map((step) => ({ step, state: context.state.steps[stepId(step)] }))
    .filter((pair): pair is { step: (typeof pair)['step']; state: StepState } => pair.state !== undefined)
    .filter(({ state }) => STEP_KINDS[state.kind].byPeople || state.status === 'skipped')
    .map(({ step, state }) => {
      if (state.status === 'skipped') return item(state, 'open', 'skipped', `skipped: ${state.problem ?? ''}`);
      if (state.kind === 'checklist') return checklistItem(state);
      const signers = Object.entries(state.signed).map(([role, mark]) => `${role}: ${mark.person}`);
      if (step.kind === 'task' && step.validFor !== undefined) {
        const oldest = Math.min(...Object.values(state.signed).map((mark) => mark.at));
        const expired = context.runtime.now() > oldest + calendarMs(context, durationMs(step.validFor));
        if (expired) return item(state, 'fail', 'expired', `signed longer than ${step.validFor} ago`);
      }
      return item(state, state.status === 'done' ? 'pass' : 'fail', state.status, signers.join(', ') || state.status);
    });
}

function checklistItem(state: StepState): EvidenceItem {
  const bad = state.items.filter((name) => !state.checks[name]?.ok);
  const shown =
    bad.length === 0 ? `${state.items.length} of ${state.items.length} in order` : `not in order: ${bad.join(', ')}`;
  return item(
    state,
    bad.length === 0 ? 'pass' : 'fail',
    `${state.items.length - bad.length}/${state.items.length}`,
    shown,
  );
}

const item = (
  state: StepState,
  verdict: EvidenceItem['verdict'],
  fingerprint: string,
  shown: string,
): EvidenceItem => ({
  id: state.id,
  kind: state.kind === 'checklist' ? 'checklist' : 'task',
  verdict,
  fingerprint,
  title: state.title,
  shown,
});

function verificationItems({ state }: Context): EvidenceItem[] {
  const verified =
    state.wave === null
      ? state.waves.map((wave) => ({ id: `wave-${wave.wave}`, title: `Wave ${wave.name}`, result: wave.verification }))
      : [{ id: 'verification', title: 'Both sides equal', result: state.verification }];
  return verified.flatMap(({ id, title, result }) => {
    if (!result) return [];
    const unequal = result.totals.filter((total) => !total.equal).map((total) => total.id);
    const bad = result.mismatches > 0 || unequal.length > 0 || result.rows === 0;
    const totals = unequal.length > 0 ? `; totals differ: ${unequal.join(', ')}` : '';
    return [
      {
        id,
        kind: 'verification' as const,
        verdict: bad ? ('fail' as const) : ('pass' as const),
        fingerprint: bad ? result.digest : 'equal',
        title,
        shown: `${result.rows} rows compared, ${result.mismatches} differ${totals}`,
      },
    ];
  });
}

function incidentItems({ state }: Context): EvidenceItem[] {
  return Object.values(openIncidents(state)).map((incident) => ({
    id: incident.id,
    kind: 'incident',
    verdict: incident.severity === 'high' ? 'fail' : 'open',
    fingerprint: incident.severity,
    title: incident.title,
    shown: `open, ${incident.severity}`,
  }));
}

/** A risk closes with the step that closes it; until then it is shown at every gate, with its mitigation. */
function riskItems(context: Context): EvidenceItem[] {
  const { run, state } = context;
  const known = new Set(phasesOf(run, state.wave).flatMap((phase) => phase.steps.map(stepId)));
  return run.runbook.risks
    .filter((risk) => {
      if (risk.closedBy === undefined) return true;
      if (!known.has(risk.closedBy)) return state.wave !== null || state.waves.some((wave) => wave.status !== 'live');
      return state.steps[risk.closedBy]?.status !== 'done';
    })
    .map((risk) => ({
      id: risk.id,
      kind: 'risk',
      verdict: 'open',
      fingerprint: 'open',
      title: risk.text,
      shown: `open; owner ${risk.owner}; mitigation: ${risk.mitigation}`,
    }));
}
