import type { Side } from '../../../domain/custody';
import { accepts, system, toSource, toTarget, waveOf } from './world';
import type { OpenTransaction, RequestState, Row, World } from './world';

/** What was acknowledged, by logical row: what both systems together owe their customers. */
export interface Truth {
  rows: Map<string, { customer: string; value: string }>;
  /** The source's row count of writes as last acknowledged there; absent once the target wrote the row. */
  sourceRev: Map<string, number>;
  acknowledged: { source: number; target: number };
  won: string[];
  /** Makes new keys and values differ. */
  serial: number;
}

export function truthOf(world: World): Truth {
  return {
    rows: new Map([...world.source.rows].map(([key, row]) => [key, { customer: row.customer, value: row.value }])),
    sourceRev: new Map([...world.source.rows].map(([key, row]) => [key, row.rev])),
    acknowledged: { source: 0, target: 0 },
    won: [],
    serial: 0,
  };
}

const SLOW = 0.12;
/** Customers won at each side. */
const MOST_WON = 3;
const LONGEST_TRANSACTION_MS = 60_000;

/**
 * One customer's transaction at one side: acknowledged or refused as a whole, most at once, some a while after the guard let them
 * in. `value` null deletes. False when the guard refused.
 */
function write(world: World, truth: Truth, side: Side, customer: string, key: string, value: string | null): boolean {
  const wave = waveOf(world, customer);
  if (!accepts(world, side, wave)) {
    world.happened('work/write refused by the guard');
    return false;
  }
  commit(world, truth, { side, wave, customer, key, value, commitsAt: world.clock.now });
  return true;
}

function commit(world: World, truth: Truth, { side, wave, customer, key, value }: OpenTransaction): void {
  const { rows, log } = system(world, side);
  const old = rows.get(key);
  if (value === null) rows.delete(key);
  else rows.set(key, { customer, value: side === 'source' ? value : toTarget(value), rev: (old?.rev ?? 0) + 1 });
  log.push({ wave, key });
  world.onWrite(side, wave);
  truth.acknowledged[side]++;
  if (value === null) truth.rows.delete(key);
  else truth.rows.set(key, { customer, value });
  if (side === 'target' || value === null) truth.sourceRev.delete(key);
  else truth.sourceRev.set(key, (old?.rev ?? 0) + 1);
}

/** Commits the transactions that have lasted long enough. */
export function commitDue(world: World, truth: Truth, now: number): void {
  const due = world.openTransactions.filter((open) => open.commitsAt <= now);
  if (due.length === 0) return;
  world.openTransactions = world.openTransactions.filter((open) => open.commitsAt > now);
  for (const open of due) commit(world, truth, open);
}

/** One writer does one thing somewhere: at the right side, at the wrong one (a stray), to old rows or new ones. */
export function randomWrite(world: World, truth: Truth): void {
  const { prng } = world;
  const side: Side = prng.chance(0.5) ? 'source' : 'target';
  const serial = ++truth.serial;
  if (prng.chance(0.03) && truth.won.filter((customer) => customer.startsWith(side)).length < MOST_WON) {
    const customer = `${side}${truth.won.length + 1}`;
    if (write(world, truth, side, customer, `${customer}/0`, 'active')) truth.won.push(customer);
    return;
  }
  const customer = prng.pick([...world.members.keys(), ...truth.won]);
  const rows = [...system(world, side).rows].filter(
    ([key, row]) => row.customer === customer && !key.endsWith('/0') && !key.includes('/req'),
  );
  const chosen = rows.length > 0 && prng.chance(0.7) ? prng.pick(rows) : null;
  const [key, value] = chosen ? changeOf(world, side, chosen, serial) : [`${customer}/r${serial}`, `b${serial}`];
  if (world.openTransactions.some((open) => open.side === side && open.key === key)) return; // its row is locked
  if (!world.pace.chance(SLOW)) return void write(world, truth, side, customer, key, value);
  const wave = waveOf(world, customer);
  if (!accepts(world, side, wave)) return world.happened('work/write refused by the guard');
  world.happened('work/slow transaction');
  const commitsAt = world.clock.now + world.pace.int(100, LONGEST_TRANSACTION_MS);
  world.openTransactions.push({ side, wave, customer, key, value, commitsAt });
}

/** Deletes the row, writes what it holds already, or something new. */
function changeOf({ prng }: World, side: Side, [key, row]: [string, Row], serial: number): [string, string | null] {
  if (prng.chance(0.3)) return [key, null];
  if (prng.chance(0.2)) return [key, side === 'source' ? row.value : toSource(row.value)];
  return [key, `u${serial}`];
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
  if (system(world, side).rows.has(key) && !world.broken.has('request-key')) return 'again';
  if (!write(world, truth, side, request.customer, key, 'effect')) return 'refused';
  request.executions++;
  request.effectedAt ??= world.clock.now;
  return 'done';
}
