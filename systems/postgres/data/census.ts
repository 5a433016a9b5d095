import type { Pool, PoolClient } from 'pg';
import QueryStream from 'pg-query-stream';
import { readCustody, STAYS_WAVE, type WaveState } from '../../../domain/custody';
import { withTransaction } from '../connect';
import { saying } from './faults';
import type { Population } from './install';
import { ident, literal } from './names';
import type { Pair } from './pair';

/** Customers, counted by key (see `census`). */
export interface Census {
  baseline: number;
  won: number;
  departed: number;
  moved: number;
  excluded: number;
  remaining: number;
  missing: number;
  duplicated: number;
}

/** One customer as one side knows it: null where that side has no member row. */
interface Known {
  key: string;
  wave: number | null;
  baseline: boolean;
  /** Rows of the population with this key. */
  present: number;
  active: boolean;
  /** The system deleted the customer by a write of its own, which its log knows: departed without a trace in the table. */
  withdrawn: boolean;
}

/** In byte order of the key, so that both sides can be read side by side. */
const knownSql = (table: string, key: string, active: string | undefined): string => `
  select coalesce(m.customer, p.key, d.key) as customer, m.wave, coalesce(m.baseline, false), coalesce(p.present, 0),
    coalesce(p.active, false), d.key is not null
  from cutover.member m full join (
    select ${ident(key)}::text as key, count(*)::int as present, bool_or((${active ?? 'true'}) is true) as active
    from ${table.split('.').map(ident).join('.')} group by 1
  ) p on p.key = m.customer
  full join (
    select distinct old_owner as key from cutover.change where tab = ${literal(table)} and op = 'D'
  ) d on d.key = coalesce(m.customer, p.key)
  order by coalesce(m.customer, p.key, d.key) collate "C"`;

async function* readKnown(client: PoolClient, sql: string): AsyncGenerator<Known> {
  const stream = client.query(new QueryStream(sql, [], { batchSize: 500, rowMode: 'array' }));
  for await (const row of stream) {
    const [key, wave, baseline, present, active, withdrawn] = row as [
      string,
      number | null,
      boolean,
      number,
      boolean,
      boolean,
    ];
    yield { key, wave, baseline, present, active, withdrawn };
  }
}

const before = (left: string, right: string): boolean =>
  left !== right && Buffer.compare(Buffer.from(left), Buffer.from(right)) < 0;

/** Pairs of what both sides know of a key, from two streams in byte order. */
async function* sideBySide(
  left: AsyncGenerator<Known>,
  right: AsyncGenerator<Known>,
): AsyncGenerator<{ source: Known | null; target: Known | null }> {
  let [source, target] = [await left.next(), await right.next()];
  while (!source.done || !target.done) {
    if (!source.done && (target.done || before(source.value.key, target.value.key))) {
      yield { source: source.value, target: null };
      source = await left.next();
    } else if (!target.done && (source.done || before(target.value.key, source.value.key))) {
      yield { source: null, target: target.value };
      target = await right.next();
    } else if (!source.done && !target.done) {
      yield { source: source.value, target: target.value };
      [source, target] = [await left.next(), await right.next()];
    }
  }
}

interface States {
  source: Map<number, WaveState>;
  target: Map<number, WaveState>;
  last: number;
}

async function readStates(pair: Pair): Promise<States> {
  const of = async (pool: Pool): Promise<Map<number, WaveState>> => {
    const { rows } = await pool.query<{ wave: number; state: WaveState }>(
      'select wave, state from cutover.wave order by wave',
    );
    return new Map(rows.map(({ wave, state }) => [wave, state]));
  };
  const [source, target] = [await of(pair.source), await of(pair.target)];
  return { source, target, last: Math.max(0, ...source.keys()) };
}

/** Counts one customer. Nothing is made to fit: a customer no system holds is in no column of the right side. */
function count(census: Census, states: States, source: Known | null, target: Known | null): void {
  const wave = source?.wave ?? target?.wave ?? states.last;
  const owner = readCustody({
    source: states.source.get(wave) ?? 'sealed',
    target: states.target.get(wave) ?? 'sealed',
  });
  // A wave that is sealed and not yet open is on its way; until the target opened, the source's rows are the record.
  const holder = owner.kind === 'owned-by-target' ? target : source;
  const present = holder?.present ?? 0;
  const withdrawn = present === 0 && (source?.withdrawn === true || target?.withdrawn === true);
  const somewhere = withdrawn || (source?.present ?? 0) + (target?.present ?? 0) > 0;
  if (source?.baseline || target?.baseline) census.baseline += 1;
  else if (somewhere) census.won += 1;
  if (present === 0 && !withdrawn) census.missing += 1;
  if (owner.kind === 'two-owners' || present > 1) census.duplicated += 1;
  if (withdrawn) census.departed += 1;
  if (present === 0) return;
  if (wave === STAYS_WAVE) census.excluded += 1;
  else if (!holder?.active) census.departed += 1;
  else if (owner.kind === 'owned-by-target') census.moved += 1;
  else census.remaining += 1;
}

const TRIES = 5;

/**
 * Counts every customer by key across both systems (promise CONSERVE): baseline + won = moved + excluded + departed +
 * remaining holds when nothing is missing. The two sides are read in their own snapshots; when custody changed while they
 * were read, they are read again.
 */
export async function census(pair: Pair, population: Population): Promise<Census> {
  return saying('census', async () => {
    for (let tries = 1; ; tries++) {
      const states = await readStates(pair);
      const counted = await countAll(pair, population, states);
      const after = await readStates(pair);
      if (
        tries === TRIES ||
        JSON.stringify([...states.source, ...states.target]) === JSON.stringify([...after.source, ...after.target])
      )
        return counted;
    }
  });
}

async function countAll(pair: Pair, population: Population, states: States): Promise<Census> {
  const counted: Census = {
    baseline: 0,
    won: 0,
    departed: 0,
    moved: 0,
    excluded: 0,
    remaining: 0,
    missing: 0,
    duplicated: 0,
  };
  const options = { isolation: 'repeatable read', readOnly: true } as const;
  await withTransaction(pair.source, options, (source) =>
    withTransaction(pair.target, options, async (target) => {
      const here = readKnown(source, knownSql(population.from, population.key, population.active));
      const there = readKnown(
        target,
        knownSql(population.target.from, population.target.key, population.target.active),
      );
      for await (const each of sideBySide(here, there)) count(counted, states, each.source, each.target);
    }),
  );
  return counted;
}

/** Count and digest of who is in the wave; equal on both sides before a seal. */
export async function membershipDigest(pool: Pool, wave: number): Promise<string> {
  return saying(`members of wave ${wave}`, async () => {
    const { rows } = await pool.query<{ digest: string }>('select cutover.members_digest($1) as digest', [wave]);
    return rows[0]!.digest;
  });
}
