import { incidentLines } from './status-tables';
import { heldText } from './ahead';
import { clock, DEAD, span } from './format';
import type { StatusAhead } from '../forecast';
import { hasEnded } from '../kept-runs';
import type { RunShown, StatusShown } from '../run-status';

/** One paragraph to read out on the bridge: where we are, what customers feel, who is waited for, until when we can go back. */
export function brief(status: StatusAhead, nowMs: number): string {
  const current =
    status.runs.filter((run) => run.wave !== null && !hasEnded(run) && !run.isDead).at(-1) ?? status.runs[0];
  return [
    opening(status, current, nowMs),
    ...(current && !current.isDead ? [progress(current), customers(current, nowMs), waits(status)] : []),
    incidents(status),
    ahead(status, nowMs),
    wayBack(status),
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function opening(status: StatusShown, current: RunShown | undefined, nowMs: number): string {
  const since = status.startedAt === null ? '' : `, ${span(nowMs - status.startedAt)} after its start`;
  const stale = status.source === 'saved' ? ' This is the last saved state; no worker answers.' : '';
  if (status.source === 'dead')
    return `${status.cutover} is dead: ${DEAD}.${status.failure === null ? '' : ` It failed: ${status.failure}.`}`;
  if (status.outcome) return `${status.cutover} has ended: ${status.outcome}.${stale}`;
  const wave = status.waves.find((each) => each.wave === current?.wave);
  const where = current?.wave
    ? ` in wave ${current.wave} of ${status.waves.length}${wave ? ` (${wave.name})` : ''}`
    : '';
  const phase = current?.phase ? `, phase ${current.phase}` : '';
  return `${status.cutover} is ${words(status.status)}${where}${phase}${since}.${stale}`;
}

const words = (status: string): string =>
  status === 'waiting-for-person' ? 'waiting for people' : status.replaceAll('-', ' ');

function progress(run: RunShown): string {
  const done = run.steps.filter((step) => step.status === 'done' || step.status === 'skipped').length;
  const running = run.steps.filter((step) => step.status === 'running').map((step) => step.id);
  const failed = run.steps.filter((step) => step.status === 'failed');
  const now = running.length > 0 ? `; running now: ${running.join(', ')}` : '';
  const bad = failed.map((step) => ` Step ${step.id} has failed: ${step.problem ?? 'no reason given'}.`).join('');
  return `${done} of ${run.steps.length} steps are done${now}.${bad}`;
}

function customers(run: RunShown, nowMs: number): string {
  if (!run.frozen) return '';
  const back = run.backOutBy ?? run.frozen.notAfter;
  const left = back > nowMs ? `${span(back - nowMs)} are left` : 'that moment has passed';
  return `Customers of this wave have been frozen for ${span(nowMs - run.frozen.at)}; we back out by ${clock(back, nowMs)} at the latest, ${left}.`;
}

function waits(status: StatusShown): string {
  const lines = status.runs.flatMap((run) => run.waitsFor);
  return lines.length === 0 ? '' : `We wait for: ${lines.join('; ')}.`;
}

function ahead({ forecast }: StatusAhead, nowMs: number): string {
  if (!forecast) return '';
  const late = forecast.held.filter(({ until }) => until <= nowMs);
  return [
    `The whole is expected to end at ${clock(forecast.endsAt, nowMs)}.`,
    ...late.map((held) => `In wave ${held.wave} ${heldText(held, nowMs)}.`),
  ].join(' ');
}

function incidents(status: StatusShown): string {
  const open = [...new Set(status.runs.flatMap(incidentLines))];
  return open.length === 0 ? '' : `Open incidents: ${open.join('; ')}.`;
}

function wayBack(status: StatusShown): string {
  const main = status.runs.find((run) => run.wave === null);
  if (status.outcome) return '';
  const stuck = status.rollbacks.filter((rollback) => rollback.status === 'waiting-for-person');
  if (stuck.length > 0)
    return `The way back waits for a person: ${stuck.map((rollback) => rollback.problem ?? '').join('; ')}.`;
  if (status.source === 'dead') return '';
  if (main?.rollback) return `We are going back, asked by ${main.rollback.by}: ${main.rollback.reason}.`;
  return main?.pointOfNoReturnPassed ? 'The point of no return has passed.' : 'Going back is possible.';
}
