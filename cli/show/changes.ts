import type { RunShown, StatusShown } from '../run-status';

/** One thing that happened between two looks. */
export interface Change {
  wave: number | null;
  /** What changed: a step or gate id, `run`, `rollback` or `notice`. */
  subject: string;
  text: string;
}

/** What is new since the last look; everything that is not pending on the first. */
export function changesOf(before: StatusShown | null, now: StatusShown): Change[] {
  const runs = now.runs.flatMap((run) =>
    runChanges(before?.runs.find((each) => each.workflowId === run.workflowId) ?? null, run),
  );
  const rollbacks = now.rollbacks.flatMap((rollback) => {
    const old = before?.rollbacks.find((each) => each.workflowId === rollback.workflowId);
    const undone = rollback.done.slice(old?.done.length ?? 0).map((row) => `undone: ${row.step} (${row.kind})`);
    const status =
      old?.status === rollback.status ? [] : [`the way back: ${rollback.status}${problem(rollback.problem)}`];
    return [...undone, ...status].map((text) => ({ wave: rollback.wave, subject: 'rollback', text }));
  });
  const ended =
    now.outcome !== null && before?.outcome !== now.outcome
      ? [{ wave: null, subject: 'run', text: `ended: ${now.outcome}` }]
      : [];
  return [...runs, ...rollbacks, ...ended];
}

const problem = (text: string | null): string => (text === null ? '' : `: ${text}`);

function runChanges(before: RunShown | null, run: RunShown): Change[] {
  const changes: Change[] = [];
  const add = (subject: string, text: string): void => void changes.push({ wave: run.wave, subject, text });
  for (const step of run.steps) {
    const old = before?.steps.find((each) => each.id === step.id);
    if (step.status !== (old?.status ?? 'pending'))
      add(step.id, `${step.id}: ${step.status}${problem(step.status === 'done' ? null : step.problem)}`);
    if (step.taken && step.taken.at !== old?.taken?.at) add(step.id, `${step.id}: ${step.taken.person} is on it`);
    if (step.blocked && step.blocked.at !== old?.blocked?.at)
      add(step.id, `${step.id}: blocked by ${step.blocked.person}: ${step.blocked.reason}`);
    if (step.status === old?.status && step.progress !== null && step.progress !== old?.progress)
      add(step.id, `${step.id}: ${step.progress}`);
  }
  for (const gate of run.gates) {
    const old = before?.gates.find((each) => each.id === gate.id);
    for (const vote of gate.votes) {
      const said = old?.votes.find((each) => each.person === vote.person && each.at === vote.at);
      if (!said) add(gate.id, `gate ${gate.id}: ${vote.person} votes ${vote.decision}${problem(vote.reason)}`);
      if (vote.voided !== null && said?.voided !== vote.voided)
        add(gate.id, `gate ${gate.id}: the vote of ${vote.person} is void: ${vote.voided}`);
    }
    if (gate.status !== (old?.status ?? 'pending')) add(gate.id, `gate ${gate.id}: ${gate.status}`);
  }
  if (run.frozen && !before?.frozen) add('run', 'customers are frozen');
  if (!run.frozen && before?.frozen) add('run', 'customers are no longer frozen');
  if (run.paused && !before?.paused) add('run', `paused by ${run.paused.person}: ${run.paused.reason}`);
  if (!run.paused && before?.paused) add('run', 'goes on');
  if (run.rollback && !before?.rollback) add('run', `rollback asked by ${run.rollback.by}: ${run.rollback.reason}`);
  const known = new Set((before?.notices ?? []).map((line) => `${line.at} ${line.text}`));
  for (const line of run.notices) if (!known.has(`${line.at} ${line.text}`)) add('notice', line.text);
  return changes;
}
