import type { Activities, DrainResult, EffectRef } from '../engine/contract';
import type { WorkStock } from '../runbooks/schema/runbook';
import { resolveForwards, replayHeld } from '../systems/control/replay';
import { holdIntake } from '../systems/control/intake';
import { saveResult } from '../systems/control/results';
import { readWave, sideOf } from '../systems/control/routing';
import { drainUntil } from '../systems/queues/drain';
import { pgbossQueue } from '../systems/queues/pgboss';
import type { QueuePort } from '../systems/queues/port';
import { rabbitmqQueue } from '../systems/queues/rabbitmq';
import { sqlStock } from '../systems/queues/sql-stock';
import { SystemFault } from '../systems/ports';
import { beating, staleEpoch, type Beat } from './attempt';
import { excludeCustomers } from './exclude';
import { waveOf } from './wave-of';
import type { CutoverWorld, World } from './world';

type WorkActivities = Pick<Activities, 'holdIntake' | 'releaseIntake' | 'drain'>;

const LOOK_MS = 500;
/** A forward older than this is asked about by performing it again: its key makes that harmless. */
const FORWARD_GRACE_MS = 3_000;

/** Open work: hold what is new, bring what is there to zero, and replay what was held. */
export function workActivities(world: World): WorkActivities {
  return {
    holdIntake: ({ ref }) => beating((beat) => hold(world, ref, beat)),
    releaseIntake: ({ ref }) => beating((beat) => release(world, ref, beat)),
    drain: ({ ref, work, untilMs }) => beating((beat) => drain(world, ref, work, untilMs, beat)),
  };
}

async function hold(world: World, ref: EffectRef, beat: Beat): Promise<{ waitedFor: number }> {
  const { documents, pair } = await world.of(ref.cutover);
  const at = { cutover: ref.cutover, wave: waveOf(ref) };
  const held = await holdIntake(world.control, { ...at, epoch: ref.epoch });
  if (held.outcome === 'stale') throw staleEpoch(`intake of wave ${at.wave}`);
  let waitedFor = 0;
  for (;;) {
    beat.check();
    const input = { ...at, graceMs: FORWARD_GRACE_MS, pools: pair, requests: documents.runbook.requests };
    const unknown = await resolveForwards(world.control, input);
    if (unknown === 0) return { waitedFor };
    waitedFor = Math.max(waitedFor, unknown);
    await beat.pause(LOOK_MS);
  }
}

async function release(
  world: World,
  ref: EffectRef,
  beat: Beat,
): Promise<{ replayed: number; refused: number; pending: number }> {
  const { documents, pair } = await world.of(ref.cutover);
  const at = { cutover: ref.cutover, wave: waveOf(ref) };
  const side = sideOf((await readWave(world.control, at.cutover, at.wave)).custody);
  if (side === null) throw new SystemFault(`wave ${at.wave} is still moving: nothing can be replayed yet`, true);
  return replayHeld(world.control, {
    ...at,
    epoch: ref.epoch,
    side,
    pool: pair[side],
    requests: documents.runbook.requests,
    onProgress: (replayed) => beat.progress({ replayed }),
  });
}

async function drain(world: World, ref: EffectRef, work: string[], untilMs: number, beat: Beat): Promise<DrainResult> {
  const cutover = await world.of(ref.cutover);
  const wave = waveOf(ref);
  const ports = Object.fromEntries(work.map((id) => [id, portOf(world, cutover, id)]));
  const clock = {
    now: () => Date.now(),
    sleep: (ms: number) => {
      beat.check();
      return beat.pause(ms);
    },
  };
  const state = await drainUntil(
    ports,
    {
      wave,
      deadline: untilMs,
      everyMs: LOOK_MS,
      onLook: ({ open, expectedAt }) => beat.progress({ open, expectedAt }),
    },
    clock,
  );
  const open = Object.entries(state.open).map(([id, reading]) => ({
    work: id,
    open: reading.ready + reading.unacked,
    deadLetters: reading.deadLetters,
  }));
  const leftovers: DrainResult['leftovers'] = [];
  for (const left of open.filter((each) => each.open + each.deadLetters > 0)) {
    const port = ports[left.work];
    if (port) leftovers.push(await settle(world, cutover, ref, left.work, port));
  }
  const result = { drained: state.drained, open, leftovers };
  await saveResult(world.control, { ...ref, kind: 'drain', result });
  return result;
}

/** What did not drain goes where the runbook says: to a named role, or its customers stay behind. */
async function settle(
  world: World,
  cutover: CutoverWorld,
  ref: EffectRef,
  work: string,
  port: QueuePort,
): Promise<DrainResult['leftovers'][number]> {
  const { leftover } = stockOf(cutover, work);
  const left = await port.leftovers(waveOf(ref));
  if (leftover !== 'exclude') return { work, count: left.count, wentTo: leftover.handTo };
  if (left.withoutCustomer > 0) {
    throw new SystemFault(
      `${work}: ${left.withoutCustomer} pieces of work name no customer to exclude; hand them to a person (leftover: { handTo: … })`,
      false,
    );
  }
  await excludeCustomers(world, cutover, ref, left.customers);
  return { work, count: left.count, wentTo: 'excluded' };
}

function stockOf({ documents }: CutoverWorld, id: string): WorkStock {
  const stock = documents.runbook.work[id];
  if (!stock) throw new SystemFault(`the runbook has no work called ${id}`, false);
  return stock;
}

function portOf(world: World, cutover: CutoverWorld, id: string): QueuePort {
  const stock = stockOf(cutover, id);
  const pool = cutover.pair[stock.system === 'target' ? 'target' : 'source'];
  if ('from' in stock) return sqlStock(pool, stock);
  const queue = { queue: stock.queue, ...(stock.customer === undefined ? {} : { customer: stock.customer }) };
  if (stock.broker === 'pgboss') return pgbossQueue(pool, queue);
  const system = cutover.documents.runbook.systems[stock.system];
  if (!system) throw new SystemFault(`work ${id} names no system of the runbook: ${stock.system}`, false);
  return rabbitmqQueue({
    url: world.options.url(system.urlEnv),
    ...queue,
    membersOf: (wave, customers) => membersOf(cutover, wave, customers),
  });
}

async function membersOf({ pair }: CutoverWorld, wave: number, customers: string[]): Promise<string[]> {
  const { rows } = await pair.source.query<{ customer: string }>(
    'select c as customer from unnest($1::text[]) c where cutover.wave_of(c) = $2',
    [customers, wave],
  );
  return rows.map((row) => row.customer);
}
