/** Membership changes while everything else goes on: both systems, one after the other, under the epochs of both waves. */
import type { Side } from '../../domain/custody';
import { ownerOf, maybeStall, type Mover } from './actor';
import { CUSTOMERS, otherSide, WAVES, type SideWorld, type World } from './world';

async function membership(at: SideWorld): Promise<Map<string, number>> {
  const found = await at.own.query<{ customer: string; wave: number }>(
    'select c as customer, cutover.wave_of(c) as wave from unnest($1::text[]) c',
    [CUSTOMERS],
  );
  return new Map(found.rows.map(({ customer, wave }) => [customer, wave]));
}

const ownerAlways = (world: World, wave: number): Promise<Side | null> =>
  wave === 0 ? Promise.resolve('source') : ownerOf(world, wave);

/** Moves one customer to a wave of the same owner. Notes what came of it. */
export async function changeMember(mover: Mover): Promise<void> {
  const { world, random, note } = mover;
  const customer = random.pick(CUSTOMERS);
  const from = (await membership(world.source)).get(customer);
  const to = random.chance(0.2) ? 0 : random.pick(WAVES);
  if (from === undefined || from === to) return;
  const owners = [await ownerAlways(world, from), await ownerAlways(world, to)];
  const owner = owners[0];
  if (!owner || owner !== owners[1]) return note('member-apart');
  note(`member-${await change(mover, customer, from, to, owner)}`);
}

/** The system that does not own the waves first, then the owner, whose log brings the copy in line. */
async function change(mover: Mover, customer: string, from: number, to: number, owner: Side): Promise<string> {
  const { world } = mover;
  const fences = await raiseAll(world, [from, to]);
  if (!fences) return 'overtaken';
  for (const wave of [from, to]) if ((await ownerAlways(world, wave)) !== owner) return 'overtaken';
  await otherSide(world, owner).custody.moveMembers([customer], to, fences);
  await maybeStall(mover, 0.4, 900);
  await world[owner].custody.moveMembers([customer], to, fences);
  return 'moved';
}

async function raiseAll(world: World, waves: readonly number[]): Promise<Record<number, number> | null> {
  const epoch = await world.nextEpoch();
  const fences: Record<number, number> = {};
  for (const wave of waves.filter((one) => one !== 0)) {
    for (const side of [world.source, world.target])
      if ((await side.custody.raise(wave, epoch)).outcome === 'stale') return null;
    fences[wave] = epoch;
  }
  return fences;
}

/**
 * Whether both systems put the same customers into the wave; the caller has raised it. Where a change was left half
 * done it is finished: the owner follows the other system.
 */
export async function membersAgree(mover: Mover, wave: number): Promise<boolean> {
  const { world } = mover;
  const [source, target] = [await membership(world.source), await membership(world.target)];
  const apart = CUSTOMERS.filter((one) => source.get(one) !== target.get(one)).filter((one) =>
    [source.get(one), target.get(one)].includes(wave),
  );
  for (const customer of apart) {
    const waves = [source.get(customer) ?? 0, target.get(customer) ?? 0];
    const owners = await Promise.all(waves.map((one) => ownerAlways(world, one)));
    if (owners.includes(null)) continue;
    if (owners[0] !== owners[1]) {
      mover.broken(`OWNER: ${customer} belongs to waves ${waves.join(' and ')}, which are owned by different systems`);
      continue;
    }
    const owner = owners[0] as Side;
    const [from, to] = owner === 'source' ? waves : waves.toReversed();
    await change(mover, customer, from ?? 0, to ?? 0, owner);
    mover.note('member-repaired');
  }
  return apart.length === 0;
}
