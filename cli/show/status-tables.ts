import { colorsOf, type Cli } from '../cli';
import type { StatusAhead } from '../forecast';
import type { GateShown, RunShown, StatusShown } from '../run-status';
import { aheadLines } from './ahead';
import { clock, DEAD, shortDigest, span, statusWord, table } from './format';

/** What `status` prints without `--brief`: each run with its steps, gates and what it waits for. */
export function statusTables(cli: Cli, status: StatusAhead): string {
  const { bold, red, yellow } = colorsOf(cli);
  const head = [`${bold(status.cutover)}  ${statusWord(cli, status.status)}  ${status.workflowId}`];
  if (status.startedAt !== null)
    head.push(`started ${clock(status.startedAt, cli.now())} by ${status.startedBy ?? 'unknown'}`);
  if (status.source === 'saved')
    head.push(yellow('no worker answers: this is what was saved last (start one: cutover worker)'));
  if (status.source === 'dead') head.push(red(`${DEAD}: this is how far it had come`));
  if (status.failure !== null) head.push(red(`it failed: ${status.failure}`));
  head.push(...aheadLines(status.forecast, cli.now()));
  const runs = status.runs.map((run) => runText(cli, status, run));
  return [head.join('\n'), ...runs, rollbackText(cli, status)].filter((part) => part !== '').join('\n\n');
}

function runText(cli: Cli, status: StatusShown, run: RunShown): string {
  const { bold } = colorsOf(cli);
  const summary = status.waves.find((wave) => wave.wave === run.wave);
  const title = run.wave === null ? 'The cutover' : `Wave ${run.wave}${summary ? ` (${summary.name})` : ''}`;
  const living = summary && ['live', 'stopped', 'rolled-back'].includes(summary.status) ? summary.status : run.status;
  const state = run.isDead ? 'dead' : living;
  return [
    `${bold(title)}  ${statusWord(cli, state)}${run.phase ? `  phase ${run.phase}` : ''}`,
    ...(run.isDead ? [] : timeLines(cli, run)),
    stepTable(cli, run),
    gateTable(cli, run),
    ...(run.isDead ? [] : asked(cli, run)),
    list('waits for', run.waitsFor),
    list('incidents', incidentLines(run)),
    list(
      'lately',
      run.notices.slice(-5).map((line) => `${clock(line.at, cli.now())} ${line.text}`),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** What people are asked to decide on. */
const asked = (cli: Cli, run: RunShown): string[] => [
  ...run.gates.filter((gate) => gate.status === 'open' || gate.status === 'held').map((gate) => evidence(cli, gate)),
  amendmentText(run),
];

/** What is proposed, for who is asked to approve it; and what was made of the newest. */
function amendmentText({ amendment, wave }: RunShown): string {
  if (!amendment || wave !== null) return '';
  const approved = amendment.approvedBy.length > 0 ? `, approved by ${amendment.approvedBy.join(', ')}` : '';
  const why = [
    ...(amendment.reason ? [`why: ${amendment.reason}`] : []),
    ...(amendment.problem ? [amendment.problem] : []),
  ];
  return list(`amendment by ${amendment.by}: ${amendment.status}${approved}`, [...amendment.changes, ...why]);
}

const list = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `${title}:\n${lines.map((line) => `  - ${line}`).join('\n')}`;

export const incidentLines = (run: RunShown): string[] =>
  Object.values(run.incidents)
    .filter((incident) => incident.resolved === null)
    .map((incident) => `${incident.id} (${incident.severity}): ${incident.title}`);

/** What runs against the clock, in words. */
function timeLines(cli: Cli, run: RunShown): string[] {
  const { yellow } = colorsOf(cli);
  const now = cli.now();
  const lines: string[] = [];
  if (run.frozen) {
    const back = run.backOutBy ?? run.frozen.notAfter;
    const left = back > now ? `in ${span(back - now)}` : `${span(now - back)} ago`;
    lines.push(yellow(`frozen for ${span(now - run.frozen.at)}; back out by ${clock(back, now)} (${left})`));
  }
  if (run.downtimeMs)
    lines.push(
      `down for changes: ${span(run.downtimeMs.machine + run.downtimeMs.people)}, of which people ${span(run.downtimeMs.people)}`,
    );
  if (run.rollback) lines.push(yellow(`rollback asked by ${run.rollback.by}: ${run.rollback.reason}`));
  if (run.pointOfNoReturnPassed) lines.push('the point of no return has passed');
  return lines;
}

function stepTable(cli: Cli, run: RunShown): string {
  const now = cli.now();
  const rows = run.steps.map((step) => [
    step.phase,
    step.id,
    statusWord(cli, step.status),
    ownerOf(step),
    clock(step.startedAt, now),
    step.startedAt === null ? `(${span(step.plannedMs)})` : span((step.endedAt ?? now) - step.startedAt),
    step.progress ?? step.problem ?? '',
  ]);
  return table(cli, ['phase', 'step', 'status', 'owner', 'start', 'took', ''], rows);
}

/** The role, and who answers for it or is on it when somebody was named. */
function ownerOf({ owner, assigned, taken }: RunShown['steps'][number]): string {
  const people = [...new Set([...Object.values(assigned ?? {}), ...(taken ? [taken.person] : [])])];
  return people.length === 0 ? owner : `${owner} (${people.join(', ')})`;
}

function gateTable(cli: Cli, run: RunShown): string {
  const now = cli.now();
  const rows = run.gates.map((gate) => [
    gate.id,
    statusWord(cli, gate.status),
    gate.roles.join(', '),
    gate.votes.map((vote) => `${vote.person}: ${vote.voided === null ? vote.decision : 'void'}`).join(', '),
    gate.deadline !== null && gate.decidedAt === null ? `by ${clock(gate.deadline, now)}` : clock(gate.decidedAt, now),
  ]);
  return table(cli, ['gate', 'status', 'asks', 'votes', ''], rows);
}

function evidence(cli: Cli, gate: GateShown): string {
  const rows = gate.evidence.map((item) => [statusWord(cli, item.verdict), item.kind, item.title, item.shown]);
  return `evidence of gate ${gate.id}, digest ${shortDigest(gate.digest)}:\n${table(cli, ['verdict', 'kind', 'what', 'shown'], rows)}`;
}

function rollbackText(cli: Cli, status: StatusShown): string {
  const rows = status.rollbacks.map((rollback) => [
    rollback.wave === null ? 'the cutover' : `wave ${rollback.wave}`,
    statusWord(cli, rollback.status),
    rollback.done.map((row) => row.step).join(', '),
    rollback.problem ?? '',
  ]);
  return rows.length === 0 ? '' : `Way back\n${table(cli, ['of', 'status', 'undone', 'problem'], rows)}`;
}
