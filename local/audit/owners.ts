import type { Pool } from 'pg';
import type { Side } from '../../domain/custody';

/** Which customers each system says it accepts writes for: an open or frozen wave is owned, a sealed one is not. */
export class Owners {
  private constructor(private readonly sides: Record<Side, SideView>) {}

  static async read(pools: Record<Side, Pool>): Promise<Owners> {
    return new Owners({ source: await readSide(pools.source), target: await readSide(pools.target) });
  }

  /** The systems that own the customer: one, unless something is wrong. */
  of(customer: string): Side[] {
    return (['source', 'target'] as const).filter((side) => owns(this.sides[side], customer));
  }

  /** The wave by the source's word; 0 for a customer who stays. */
  wave(customer: string): number {
    return waveOf(this.sides.source, customer);
  }
}

interface SideView {
  states: Map<number, string>;
  last: number;
  members: Map<string, number>;
}

const waveOf = (view: SideView, customer: string): number => view.members.get(customer) ?? view.last;
const owns = (view: SideView, customer: string): boolean => view.states.get(waveOf(view, customer)) !== 'sealed';

async function readSide(pool: Pool): Promise<SideView> {
  const waves = await pool.query<{ wave: number; state: string }>('select wave, state from cutover.wave');
  if (waves.rows.length === 0) throw new Error('a system has no wave rows: no cutover was opened there');
  const members = await pool.query<{ customer: string; wave: number }>('select customer, wave from cutover.member');
  return {
    states: new Map(waves.rows.map((row) => [row.wave, row.state])),
    last: Math.max(...waves.rows.map((row) => row.wave)),
    members: new Map(members.rows.map((row) => [row.customer, row.wave])),
  };
}
