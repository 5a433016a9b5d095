import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Side } from '../../domain/custody';
import type { RunView } from '../../engine/view';
import { read, verifyChain } from '../../systems/control/ledger-read';
import { connect } from '../../systems/postgres/connect';
import { rollbackWorkflowId, waveWorkflowId } from '../../workflows/names';
import { textOf } from '../support/text-of';
import { CANARY, type Field } from './field';
import { judge, type Judgement } from './promises';
import { compareMoved, compareReturned, readRows } from './rows';

export type Ending = 'live' | 'rolled-back';

/** Fewer prove nothing. */
const LEAST_WRITES = 20;
const STARTER = 'ada';
const HOLDER: Record<string, string> = { lead: 'ada', owner: 'ben', ops: 'cas' };

/** Everything both systems, control, the histories and the logs say after a night that has ended. Writers have stopped. */
export async function audit(field: Field, ending: Ending): Promise<void> {
  const { judgement } = field;
  const owner = ending === 'live' ? 'target' : 'source';
  judge(judgement, 'OWNER', [...field.watch.owners, ...(await auditOwners(field, owner))]);
  await auditRows(field, ending, judgement);
  await auditRequests(field, owner, judgement);
  await auditJobs(field, ending);
  if (ending === 'live') {
    judge(judgement, 'STILL', auditStill(field));
    judge(
      judgement,
      'GATE',
      [field.view, field.waveView].flatMap((view) => (view ? auditGates(view) : [])),
    );
  }
  judge(judgement, 'PRIVATE', await auditPrivate(field));
  judge(judgement, 'AUDIT', await auditLedger(field));
  judge(judgement, 'LIVE', await auditLive(field, ending));
}

/** Exactly one system has given the wave up. */
async function auditOwners({ ground: { stage } }: Field, owner: Side): Promise<string[]> {
  const state = async (side: Side): Promise<string> =>
    (await stage.query<{ state: string }>(stage.urlOf(side), 'select state from cutover.wave where wave = 1'))[0]
      ?.state ?? 'unknown';
  const expected = { source: owner === 'source' ? 'open' : 'sealed', target: owner === 'target' ? 'open' : 'sealed' };
  const found = { source: await state('source'), target: await state('target') };
  return (['source', 'target'] as const)
    .filter((side) => found[side] !== expected[side])
    .map((side) => `wave 1 is ${found[side]} at the ${side}, not ${expected[side]}`);
}

async function auditRows(field: Field, ending: Ending, judgement: Judgement): Promise<void> {
  const { stage } = field.ground;
  const rows = await readRows(stage);
  const written = await field.watch.writer.audit(ending === 'live' ? 'target' : 'source');
  const few = field.watch.writer.counts().acknowledged < LEAST_WRITES ? ['hardly anybody wrote'] : [];
  if (ending === 'live') {
    const { counted, differing } = compareMoved(rows);
    judge(judgement, 'CONSERVE', counted);
    judge(judgement, 'CONTENT', [...differing, ...written, ...few]);
    return;
  }
  const { counted, differing } = compareReturned(field.before, rows);
  const copied = rows.clients.size + rows.memos.size;
  judge(judgement, 'CONSERVE', counted);
  judge(judgement, 'BACK', [
    ...differing,
    ...written,
    ...few,
    ...(copied === 0 ? [] : [`${copied} rows are still in the target`]),
  ]);
}

async function auditRequests(field: Field, owner: Side, judgement: Judgement): Promise<void> {
  const { lost, doubled } = await field.watch.requester.audit(owner);
  judge(judgement, 'WORK', [...lost, ...(field.watch.requester.count === 0 ? ['no request was accepted'] : [])]);
  judge(judgement, 'ONCE', doubled);
}

/** Live: one stop more than starts. Back: as many of each. Either way they take turns. */
async function auditJobs({ ground: { stage }, judgement }: Field, ending: Ending): Promise<void> {
  const rows = await stage.query<{ what: string }>(stage.urlOf('source'), 'select what from tiny.job order by ctid');
  const done = rows.map(({ what }) => what);
  const takeTurns = done.every((what, turn) => what === (turn % 2 === 0 ? 'stop' : 'start'));
  const last = ending === 'live' ? 'stop' : 'start';
  const complete = done.length === 0 ? ending === 'rolled-back' : done.at(-1) === last;
  const told = `the jobs were: ${done.join(', ') || 'never stopped'}`;
  judge(judgement, 'ONCE', takeTurns ? [] : [told]);
  judge(judgement, ending === 'live' ? 'WORK' : 'BACK', complete ? [] : [told]);
}

/** From the last freeze to the switch the source takes nothing. */
function auditStill({ view, watch }: Field): string[] {
  const wave = view?.waves[0];
  if (!wave?.frozenAt || !wave.switchedAt) return ['the wave went live and nobody says when it froze and switched'];
  return watch.writer
    .takenAtSource(wave.frozenAt, wave.switchedAt)
    .map((op) => `the source took ${op} while the wave was frozen`);
}

function auditGates({ gates }: RunView): string[] {
  return gates.flatMap((gate) => {
    if (gate.status !== 'passed') return [`gate ${gate.id} is ${gate.status}, and the run is live`];
    const votes = gate.votes.filter(({ decision, voided }) => decision === 'go' && voided === null);
    const missing = gate.roles.filter((role) => !votes.some(({ person }) => person === HOLDER[role]));
    return [
      ...missing.map((role) => `gate ${gate.id} passed without ${role}`),
      ...votes.filter(({ person }) => person === STARTER).map(() => `the starter voted at gate ${gate.id}`),
      ...votes.filter(({ digest }) => !(digest in gate.seen)).map(() => `a vote at ${gate.id} is on unseen evidence`),
    ];
  });
}

/** What customers and people wrote, and the names of the plan's people. */
const PERSONAL = new RegExp(`${CANARY.replace('+', '\\+')}|op-\\d+-[st]|label \\d+|(Ada|Ben|Cas|Dee) Tiny`);

async function auditPrivate({ ground: { stage }, night }: Field): Promise<string[]> {
  const findings: string[] = [];
  const logs = join(stage.dir, 'logs');
  for (const name of readdirSync(logs))
    if (PERSONAL.test(readFileSync(join(logs, name), 'utf8'))) findings.push(`${name} holds personal data`);
  const runs = [night.workflowId, waveWorkflowId(night.workflowId, 1), rollbackWorkflowId(night.workflowId, 1)];
  for (const id of runs) {
    const history = await stage.temporal.client.workflow
      .getHandle(id)
      .fetchHistory()
      .catch((error: unknown) => {
        if (error instanceof Error && /not found/i.test(error.message)) return null; // it never rolled back
        throw error;
      });
    if (history && PERSONAL.test(textOf(history))) findings.push(`the history of ${id} holds personal data`);
  }
  return findings;
}

/** The chain is whole, and every step that was done is in it. */
async function auditLedger({ ground: { stage }, night, view, waveView }: Field): Promise<string[]> {
  const control = connect(stage.urlOf('control'), { applicationName: 'audit', max: 1 });
  try {
    const { brokenAt } = await verifyChain(control, night.id);
    const lines = await read(control, night.id);
    const steps = [view, waveView].flatMap((each) => each?.steps ?? []).filter(({ status }) => status === 'done');
    const entered = (action: string, subject: string): boolean =>
      lines.some((line) => line.action === action && line.subject === subject);
    return [
      ...(brokenAt === undefined ? [] : [`the ledger is broken at entry ${brokenAt}`]),
      ...steps
        .filter(({ id }) => !entered('step done', id))
        .map(({ id }) => `step ${id} is done and not in the ledger`),
      ...(entered('ended', 'run') ? [] : ['the ledger does not say that the run ended']),
    ];
  } finally {
    await control.end();
  }
}

async function auditLive(field: Field, ending: Ending): Promise<string[]> {
  const { stage } = field.ground;
  const custody = ending === 'live' ? 'target' : 'source';
  const ask = (sql: string): Promise<{ text: string }[]> => stage.query(stage.urlOf('control'), sql);
  const wrong = [
    ...(await ask(`select 'routing says ' || custody || ', intake ' || intake as text from control.wave
                   where wave = 1 and (custody <> '${custody}' or intake <> 'open')`)),
    ...(await ask(`select 'the registry says ' || coalesce(outcome, 'nothing') as text from control.cutover
                   where outcome is distinct from '${ending}'`)),
    ...(ending === 'live'
      ? []
      : await ask(`select 'not undone: ' || step || ' ' || kind as text from control.undo where done_at is null`)),
  ];
  const deaths = field.unexpectedDeaths();
  return [...wrong.map(({ text }) => text), ...(deaths > 0 ? [`${deaths} workers ended by themselves`] : [])];
}
