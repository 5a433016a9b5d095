import type { EffectRef } from '../engine/contract';
import { waveOf } from './wave-of';
import { STAYS_WAVE } from '../domain/custody';
import { projectMembers } from '../systems/control/routing';
import type { CutoverWorld, World } from './world';

const PAGE = 5_000;

/**
 * Takes customers out of their wave: they stay served by the source. The target first: a customer that is sealed there and
 * not yet moved at the source is still the source's, never nobody's.
 */
export async function excludeCustomers(
  world: World,
  cutover: CutoverWorld,
  ref: EffectRef,
  customers: readonly string[],
): Promise<void> {
  const fences = { [waveOf(ref)]: ref.epoch };
  for (let from = 0; from < customers.length; from += PAGE) {
    const page = customers.slice(from, from + PAGE);
    await cutover.custody.target.moveMembers(page, STAYS_WAVE, fences);
    await cutover.custody.source.moveMembers(page, STAYS_WAVE, fences);
    await projectMembers(world.control, cutover.row.cutover, page, STAYS_WAVE);
  }
}
