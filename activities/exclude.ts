import type { EffectRef } from '../engine/contract';
import { waveOf } from './wave-of';
import { STAYS_WAVE } from '../domain/custody';
import { projectMembers } from '../systems/control/routing';
import { halfMoved, staying } from '../systems/postgres/population';
import type { CutoverWorld, World } from './world';

const PAGE = 5_000;

/** Takes customers out of their wave: they stay served by the source. */
export const excludeCustomers = (
  world: World,
  cutover: CutoverWorld,
  ref: EffectRef,
  customers: readonly string[],
): Promise<void> => moveTo(world, cutover, ref, customers, STAYS_WAVE);

/**
 * Takes those whom the plan has in this wave and an earlier run left behind into it again, before it is asked what cannot be mapped: who was
 * cleansed meanwhile comes along, the others are left behind anew.
 */
export async function includeStaying(world: World, cutover: CutoverWorld, ref: EffectRef): Promise<void> {
  await takeBackHalfMoved(world, cutover, ref);
  const customers = await staying(cutover.pair.source, cutover.documents, waveOf(ref));
  await moveTo(world, cutover, ref, customers, waveOf(ref));
}

/** Where a change of wave was cut short and nobody tries it again, the target and routing follow the source, which has them there already. */
export async function takeBackHalfMoved(world: World, cutover: CutoverWorld, ref: EffectRef): Promise<void> {
  for (const [wave, customers] of await halfMoved(cutover.pair, waveOf(ref)))
    await moveTo(world, cutover, ref, customers, wave);
}

/**
 * The target first: a customer that is sealed there and not yet moved at the source is still the source's, never nobody's. The source
 * last: whoever tries again finds there whom an attempt that was cut short has not moved everywhere.
 */
async function moveTo(
  world: World,
  cutover: CutoverWorld,
  ref: EffectRef,
  customers: readonly string[],
  wave: number,
): Promise<void> {
  const fences = { [waveOf(ref)]: ref.epoch };
  for (let from = 0; from < customers.length; from += PAGE) {
    const page = customers.slice(from, from + PAGE);
    await cutover.custody.target.moveMembers(page, wave, fences);
    await projectMembers(world.control, cutover.row.cutover, page, wave);
    await cutover.custody.source.moveMembers(page, wave, fences);
  }
}
