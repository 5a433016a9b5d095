import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { rollbackWorkflowId, waveWorkflowId } from '../../../workflows/names';
import { waitUntil } from '../../support/wait-until';
import { Night } from '../../e2e/support/night';
import type { Stage } from '../../e2e/support/stage';
import { CUSTOMERS, shape, told, type Decisions } from './decisions';
import { isTold, outcomeOf, ownerBy, standsStill, type Outcome, type Told, type Views } from './outcome';

const WITHIN_MS = 240_000;

async function owners(stage: Stage): Promise<string[]> {
  const stateOf = async (side: 'source' | 'target', wave: number): Promise<string> => {
    const [row] = await stage.query<{ state: string }>(
      stage.urlOf(side),
      'select state from cutover.wave where wave = $1',
      [wave],
    );
    return row?.state ?? 'unknown';
  };
  const members = await stage.query<{ wave: number }>(
    stage.urlOf('source'),
    'select cutover.wave_of(id) as wave from tiny.customer order by id',
  );
  return Promise.all(
    members.map(async ({ wave }) =>
      ownerBy({ source: await stateOf('source', wave), target: await stateOf('target', wave) }),
    ),
  );
}

async function end(stage: Stage, night: Night): Promise<void> {
  const all = [night.workflowId, waveWorkflowId(night.workflowId, 1), rollbackWorkflowId(night.workflowId, 1)];
  for (const id of [...all, rollbackWorkflowId(night.workflowId, null)])
    await stage.temporal.client.workflow
      .getHandle(id)
      .terminate('the night is over')
      .catch(() => undefined); // it has closed, or never was
}

/** Views and ledger once the run has closed, or has written down what it shows while it waits. */
async function settled(stage: Stage, night: Night): Promise<{ views: Views; ledger: Told[] }> {
  const look = async (): Promise<{ views: Views; ledger: Told[] }> => ({
    views: { cutover: await night.view(null), wave: await night.view(1) },
    ledger: await stage.query<Told>(stage.urlOf('control'), 'select action, subject from control.ledger order by n'),
  });
  let last = await look();
  await waitUntil(async () => {
    const closed = await night.closed();
    last = await look();
    const { cutover } = last.views;
    return cutover !== null && (closed || (cutover.outcome === null && isTold(last.views, last.ledger)));
  });
  return last;
}

/** Plays the night over real servers, with workers that are killed and started again. */
export async function playReal(stage: Stage, seed: number, decisions: Decisions): Promise<Outcome> {
  await stage.freshDatabases(CUSTOMERS);
  await stage.query(stage.urlOf('source'), 'update tiny.customer set vip = $$?$$ where id = any ($1)', [
    decisions.unmappable.map((number) => `t${number}`),
  ]);
  const breakDir = join(stage.dir, `seed-${seed}`);
  mkdirSync(breakDir, { recursive: true });
  const breakAt = decisions.kills.map(({ activity, moment }) => `${activity}:${moment}`).join(',');
  await stage.startWorkers({ BREAK_AT: breakAt, BREAK_DIR: breakDir });
  const night = new Night(stage, `seed-${seed}`, decisions.script);
  try {
    await night.start((runbook) => shape(runbook, decisions));
    await night.play(WITHIN_MS, (views) => standsStill(views, decisions.script));
    const last = await settled(stage, night);
    return outcomeOf(last.views, last.ledger, await owners(stage));
  } catch (error) {
    throw new Error(`seed ${seed} (${told(decisions)}) on the real stack`, { cause: error });
  } finally {
    await end(stage, night);
    await stage.stopChildren();
  }
}
