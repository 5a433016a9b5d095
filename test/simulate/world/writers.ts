import type { Side } from '../../../domain/custody';
import { accepts, system, toSource, toTarget, waveOf, type RequestState, type World } from './world';

/** What was acknowledged, by logical row: what both systems together owe their customers. */
export interface Truth {
  rows: Map<string, { customer: string; value: string }>;
  /** The source's row count of writes as last acknowledged there; absent once the target wrote the row. */
  sourceRev: Map<string, number>;
  acknowledged: { source: number; target: number };
  refused: number;
  won: string[];
  /** Makes new keys and values differ. */
  serial: number;
}

export function truthOf(world: World): Truth {
  return {
    rows: new Map([...world.source.rows].map(([key, row]) => [key, { customer: row.customer, value: row.value }])),
    sourceRev: new Map([...world.source.rows].map(([key, row]) => [key, row.rev])),
    acknowledged: { source: 0, target: 0 },
    refused: 0,
    won: [],
    serial: 0,
  };
}

/** One customer's transaction at one side: acknowledged or refused as a whole. `value` null deletes. */
function write(world: World, truth: Truth, side: Side, customer: string, key: string, value: string | null): boolean {
  const wave = waveOf(world, customer);
  if (!accepts(world, side, wave)) {
    truth.refused++;
    return false;
  }
  const { rows, log } = system(world, side);
  const old = rows.get(key);
  if (value === null) rows.delete(key);
  else rows.set(key, { customer, value: side === 'source' ? value : toTarget(value), rev: (old?.rev ?? 0) + 1 });
  log.push({ wave, key });
  truth.acknowledged[side]++;
  if (value === null) truth.rows.delete(key);
  else truth.rows.set(key, { customer, value });
  if (side === 'target') truth.sourceRev.delete(key);
  else if (value === null) truth.sourceRev.delete(key);
  else truth.sourceRev.set(key, (old?.rev ?? 0) + 1);
  return true;
}

/** One writer does one thing somewhere: at the right side, at the wrong one (a stray), to old rows or new ones. */
export function randomWrite(world: World, truth: Truth): void {
  const { prng } = world;
  const side: Side = prng.chance(0.5) ? 'source' : 'target';
  const serial = ++truth.serial;
  if (prng.chance(0.03) && truth.won.length < 3) {
    const customer = `n${truth.won.length + 1}`;
    if (write(world, truth, side, customer, `${customer}/0`, 'active')) truth.won.push(customer);
    return;
  }
  const customer = prng.pick([...world.members.keys(), ...truth.won]);
  const rows = [...system(world, side).rows].filter(
    ([key, row]) => row.customer === customer && !key.endsWith('/0') && !key.includes('/req'),
  );
  const chosen = rows.length > 0 && prng.chance(0.7) ? prng.pick(rows) : null;
  if (!chosen) write(world, truth, side, customer, `${customer}/r${serial}`, `b${serial}`);
  else if (prng.chance(0.3)) write(world, truth, side, customer, chosen[0], null);
  else if (prng.chance(0.2)) {
    const value = side === 'source' ? chosen[1].value : toSource(chosen[1].value);
    write(world, truth, side, customer, chosen[0], value);
  } else write(world, truth, side, customer, chosen[0], `u${serial}`);
}

/**
 * The effect of a request with its key in the same transaction; `again` when the key is there already. Written at the side
 * that takes it; null when the guard refuses.
 */
export function effectRequest(
  world: World,
  truth: Truth,
  side: Side,
  request: RequestState,
): 'done' | 'again' | 'refused' {
  const key = `${request.customer}/req${request.id}`;
  if (!accepts(world, side, waveOf(world, request.customer))) return 'refused';
  if (system(world, side).rows.has(key)) return 'again';
  if (!write(world, truth, side, request.customer, key, 'effect')) return 'refused';
  request.executions++;
  return 'done';
}
