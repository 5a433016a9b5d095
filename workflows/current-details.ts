import type { RunView } from '../engine/view';

const MARK: Record<string, string> = { done: '✔', skipped: '↷', running: '▶', failed: '✘', pending: '·' };

/** The live step table an engineer sees in the Temporal UI (Markdown). */
export function currentDetails(view: RunView): string {
  const head = `**${view.outcome ?? view.status}**${view.phase ? ` · phase ${view.phase}` : ''}`;
  const frozen = view.frozen
    ? `\n\nfrozen since ${clock(view.frozen.at)}, back out by ${clock(view.backOutBy ?? view.frozen.notAfter)}`
    : '';
  const waits =
    view.waitsFor.length > 0 ? `\n\nwaits for:\n\n${view.waitsFor.map((line) => `- ${line}`).join('\n')}` : '';
  const rows = view.steps.map(
    (step) =>
      `| ${MARK[step.status] ?? '…'} | ${step.phase} | ${step.id} | ${step.status} | ${step.owner} | ${step.startedAt ? clock(step.startedAt) : ''} | ${step.endedAt ? clock(step.endedAt) : ''} | ${step.progress ?? step.problem ?? ''} |`,
  );
  const gates = view.gates.map(
    (gate) =>
      `| ${gate.id} | ${gate.status} | ${gate.votes.map((vote) => `${vote.person}: ${vote.voided ? 'void' : vote.decision}`).join(', ')} |`,
  );
  return [
    head + frozen + waits,
    ['| | phase | step | status | owner | start | end | |', '|-|-|-|-|-|-|-|-|', ...rows].join('\n'),
    gates.length > 0 ? ['| gate | status | votes |', '|-|-|-|', ...gates].join('\n') : '',
    view.notices
      .slice(-5)
      .map((line) => `- ${clock(line.at)} ${line.text}`)
      .join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
