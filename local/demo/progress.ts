import type { StatusShown } from '../../cli/run-status';
import type { TrafficStatus } from './cast';

/** One line about the night; `key` changes when there is something new to say. */
export function progressLine(status: StatusShown, traffic: TrafficStatus | null): { key: string; text: string } {
  const parts = status.runs
    .filter((run) => run.outcome === null && !['live', 'stopped'].includes(run.status))
    .map((run) => {
      const name = run.wave === null ? 'cutover' : `wave ${run.wave}`;
      const now = run.steps
        .filter((step) => !['pending', 'done', 'skipped'].includes(step.status))
        .map((step) => `${step.id} ${step.status}${step.progress ? ` (${step.progress})` : ''}`);
      const gate = run.gates.find((candidate) => ['open', 'held'].includes(candidate.status));
      const open = gate
        ? [
            `gate ${gate.id} ${gate.status}, ${gate.votes.filter((vote) => vote.decision === 'go' && vote.voided === null).length} of ${gate.roles.length} go`,
          ]
        : [];
      return `${name} · ${run.phase ?? 'ended'} · ${[...now.slice(0, 3), ...open].join(', ') || run.status}`;
    });
  const rollbacks = status.rollbacks.map(
    (rollback) =>
      `rollback ${rollback.wave === null ? 'of the cutover' : `of wave ${rollback.wave}`} ${rollback.status}: ${rollback.done.map((row) => row.step).join(', ')}${rollback.problem ?? ''}`,
  );
  const key = [...parts, ...rollbacks].join(' | ');
  const load = traffic
    ? `   [${traffic.perSecond.toFixed(0)} ops/s, ${traffic.operations} done, ${traffic.held} held, ${traffic.refused} refused]`
    : '';
  return { key, text: `${new Date().toISOString().slice(11, 19)} ${key}${load}` };
}
