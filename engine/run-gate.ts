import { judge, redItems, voidStale, type GateVerdict } from '../domain/gate';
import { durationMs } from '../runbooks/schema/common';
import type { Gate, Phase } from '../runbooks/schema/step';
import { followAgain } from './background';
import { calendarMs, record, wait, type Context } from './context';
import { gatherEvidence } from './evidence';
import { notice } from './notice';
import { voters } from './people';
import { Cancelled } from './runtime';
import type { GateState } from './state';

/** How long shown evidence may be old while nothing happens; shorter while customers are frozen. */
const REFRESH_MS = { calm: 600_000, frozen: 60_000 };

/**
 * Opens the gate, shows evidence, and returns when it has passed. A no-go or the deadline decides as the runbook
 * says; `rollBack` and `abort` leave by Cancelled with the request in the state.
 */
export async function runGate(context: Context, phase: Phase): Promise<void> {
  if (!phase.gate) return;
  const gate = context.state.gates[phase.gate.id];
  if (!gate || gate.status === 'passed') return;
  open(context, gate, phase.gate);
  for (;;) {
    const before = signature(context, gate);
    await refresh(context, phase, gate);
    if (context.state.rollback !== null) throw new Cancelled();
    const verdict = verdictOf(context, phase.gate, gate);
    const red = redItems(gate.evidence, phase.gate.accept ?? []);
    if (verdict.verdict === 'go' && red.length === 0) return pass(context, gate, verdict.voters);
    if (verdict.verdict === 'no-go') refuse(context, gate, verdict.by, verdict.reason ?? 'no reason given');
    if (verdict.verdict !== 'no-go' && overdue(context, gate))
      refuse(context, gate, 'system', 'the deadline passed without a quorum on evidence in order');
    if (verdict.verdict === 'go')
      notice(
        context.state,
        context.runtime.now(),
        `gate ${gate.id}: all votes are go, but ${red.map((item) => item.title).join(', ')} is red`,
      );
    context.runtime.publish();
    await change(context, gate, before);
  }
}

function open(context: Context, gate: GateState, definition: Gate): void {
  const now = context.runtime.now();
  if (gate.openedAt !== null) return;
  gate.status = 'open';
  gate.openedAt = now;
  gate.deadline = definition.deadline ? now + calendarMs(context, durationMs(definition.deadline)) : null;
  record(context, 'system', 'gate opened', gate.id);
}

/** Reads the evidence again and voids votes it no longer carries. */
async function refresh(context: Context, phase: Phase, gate: GateState): Promise<void> {
  followAgain(context);
  const { items, digest } = await gatherEvidence(context, phase);
  gate.seen = {
    [digest]: items,
    ...Object.fromEntries(Object.entries(gate.seen).filter(([key]) => gate.votes.some((vote) => vote.digest === key))),
  };
  gate.evidence = items;
  gate.digest = digest;
  for (const person of voidStale(gate.votes, gate.seen, items, digest)) {
    notice(
      context.state,
      context.runtime.now(),
      `gate ${gate.id}: the evidence got worse, the vote of ${person} is void`,
    );
    record(context, 'system', 'vote voided', gate.id, { person, digest });
  }
  context.runtime.publish();
}

const verdictOf = (context: Context, definition: Gate, gate: GateState): GateVerdict =>
  judge(
    { votes: definition.votes, ownVotes: definition.ownVotes ?? 0 },
    voters(context.run).filter((voter) => voter.id !== context.state.startedBy),
    gate.votes,
  );

const overdue = (context: Context, gate: GateState): boolean =>
  gate.deadline !== null && context.runtime.now() >= gate.deadline;

function pass(context: Context, gate: GateState, by: string[]): void {
  const { state, run, runtime } = context;
  gate.status = 'passed';
  gate.decidedAt = runtime.now();
  record(context, 'system', 'gate passed', gate.id, { voters: by.join(', '), digest: gate.digest });
  if (gate.id === run.runbook.pointOfNoReturn) {
    state.pointOfNoReturnPassed = true;
    record(context, 'system', 'point of no return passed', gate.id);
  }
  runtime.publish();
}

/** A no-go: hold for new votes, or leave towards a rollback; past the point of no return only hold is left. */
function refuse(context: Context, gate: GateState, by: string, reason: string): void {
  const { state, runtime } = context;
  gate.deadline = null;
  if (gate.status !== 'held')
    record(context, by, 'gate refused', gate.id, {
      reason,
      then: state.pointOfNoReturnPassed ? 'hold' : gate.onNoGo,
    });
  if (gate.onNoGo === 'hold' || state.pointOfNoReturnPassed) {
    gate.status = 'held';
    return;
  }
  gate.status = 'refused';
  gate.decidedAt = runtime.now();
  state.rollback ??= {
    by,
    reason: `no-go at gate ${gate.id}: ${reason}`,
    at: runtime.now(),
    outcome: gate.onNoGo === 'abort' ? 'aborted' : 'rolled-back',
    confirmedBy: [],
  };
  runtime.publish();
  throw new Cancelled();
}

/** What people do that can change the verdict. */
const signature = ({ state }: Context, gate: GateState): string =>
  JSON.stringify([
    gate.votes.map((vote) => [vote.person, vote.decision, vote.at, vote.voided]),
    state.incidents,
    Object.values(state.steps)
      .filter((step) => step.kind === 'task' || step.kind === 'checklist')
      .map((step) => [step.checks, step.signed]),
  ]);

/**
 * Waits for anything that can change the verdict: a vote, a check, an incident, the deadline, or old evidence. `before` is
 * from before the evidence was read, so that what happened meanwhile is not missed.
 */
async function change(context: Context, gate: GateState, before: string): Promise<void> {
  const { runtime, state } = context;
  const stale = runtime.now() + (state.frozen ? REFRESH_MS.frozen : REFRESH_MS.calm);
  const until = gate.deadline === null ? stale : Math.min(stale, gate.deadline);
  await wait(context, () => signature(context, gate) !== before, until);
}

/**
 * The switch checks again: whether the votes of the gate before it still hold on what is true now. Reopens it if not, with
 * its deadline from now, and ends when it has passed again.
 */
export async function recheckGate(context: Context, phase: Phase): Promise<void> {
  const gate = phase.gate ? context.state.gates[phase.gate.id] : undefined;
  if (!phase.gate || !gate) return;
  await refresh(context, phase, gate);
  const red = redItems(gate.evidence, phase.gate.accept ?? []);
  if (verdictOf(context, phase.gate, gate).verdict === 'go' && red.length === 0) return;
  gate.status = 'pending';
  gate.openedAt = null;
  gate.decidedAt = null;
  record(context, 'system', 'gate reopened', gate.id, { red: red.map((item) => item.id).join(', ') });
  await runGate(context, phase);
}
