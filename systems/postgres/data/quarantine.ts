import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../connect';
import { invalidSql } from './columns';
import type { CompiledConversion, CompiledEntity } from './compiled';
import { saying } from './faults';
import { originTable, selectOrigins, selectRange } from './forward';
import { ident } from './names';
import { EVERYONE } from './pair';
import { readWave, type WaveHere } from './wave-here';

/** How many rows, of how many customers, a rule or a validity predicate meets. */
export interface RuleCount {
  /** The rule's id; `entity.column` of a validity predicate, `entity.key` of what is asked of every key. */
  id: string;
  entity: string;
  rows: number;
  customers: number;
  why: string;
}

interface Check {
  id: string;
  why: string;
  /** True for the rows met. */
  holds: string;
  kind: 'valid' | 'exclude' | 'set';
}

/** A value that is not valid does not count where a `set` rule replaces it. */
function checksOf(compiled: CompiledEntity): Check[] {
  const { id, entity } = compiled;
  const valid = Object.keys(entity.columns).flatMap((name): Check[] => {
    const holds = invalidSql(entity, name);
    return holds === null ? [] : [{ id: `${id}.${name}`, kind: 'valid', holds, why: `${name} cannot be mapped` }];
  });
  const declared = (entity.rules ?? []).map((rule): Check => ({
    id: rule.id,
    kind: rule.then === 'exclude' ? 'exclude' : 'set',
    holds: `(${rule.when}) is true`,
    why: rule.why,
  }));
  const others = [...valid, ...declared].filter(({ kind }) => kind !== 'set');
  return [...valid, ...declared, ...keyCheck(compiled, others)];
}

/**
 * On the way back a row is found by its target key alone. One that comes back as another key ('0017' by way of 17) would be doubled there, or its
 * change lost; and two rows could share a target key. Asked only of rows that nothing else keeps back.
 */
function keyCheck(entity: CompiledEntity, others: Check[]): Check[] {
  if (entity.kind === 'set' || entity.roundTrip === null) return [];
  const same = entity.roundTrip.again.map(
    (sql, n) => `${sql} is not distinct from ${ident(entity.alias)}.${ident(entity.sourceKey[n]!)}`,
  );
  const asked = others.map(({ holds }) => `not (${holds})`).join(' and ') || 'true';
  const holds = `case when ${asked} then not (${same.join(' and ')}) else false end`;
  return [{ id: `${entity.id}.key`, kind: 'valid', holds, why: 'its key comes back as another one' }];
}

interface Met {
  customer: string;
  counts: number[];
}

/** Which rows are looked at: a `select` of the given list. */
type Rows = (list: string) => string;

/**
 * Customers with a row any check meets, and per check how many of their rows. Without the offset PostgreSQL would look at every row of
 * the table before it asks which rows are meant.
 */
async function meet(client: PoolClient, entity: CompiledEntity, checks: Check[], of: Rows): Promise<Met[]> {
  const own = `${ident(entity.alias)}.${ident(entity.sourceCustomer.name)}::text`;
  const list = [`${own} as cutover_own`, ...checks.map(({ holds }, at) => `(${holds}) as cutover_c${at}`)].join(', ');
  const counts = checks.map((_, at) => `(count(*) filter (where cutover_c${at}))::int`).join(', ');
  const any = checks.map((_, at) => `cutover_c${at}`).join(' or ');
  const { rows } = await client.query<Met>(
    `select cutover_own as customer, array[${counts}] as counts
     from (${of(list)} offset 0) checked where ${any} group by 1`,
  );
  return rows;
}

type Counted = RuleCount & { kind: Check['kind'] };

/** `of`: the rows of an entity to look at. */
async function meetAll(
  client: PoolClient,
  entities: readonly CompiledEntity[],
  wanted: (check: Check) => boolean,
  of: (entity: CompiledEntity) => Rows,
): Promise<{ customers: Set<string>; counts: Counted[] }> {
  const customers = new Set<string>();
  const counts: Counted[] = [];
  for (const entity of entities) {
    const checks = checksOf(entity).filter(wanted);
    if (checks.length === 0) continue;
    const met = await saying(`rules of entity ${entity.id}`, () => meet(client, entity, checks, of(entity)));
    for (const { customer } of met) customers.add(customer);
    for (const [at, { id, why, kind }] of checks.entries()) {
      const rows = met.reduce((sum, each) => sum + (each.counts[at] ?? 0), 0);
      const found = met.filter((each) => (each.counts[at] ?? 0) > 0).length;
      counts.push({ id, entity: entity.id, rows, customers: found, why, kind });
    }
  }
  return { customers, counts };
}

/** The same over all rows of a wave (null: of every wave) at one moment. */
const meetEverywhere = (
  source: Pool,
  compiled: CompiledConversion,
  wave: number | null,
  wanted: (check: Check) => boolean,
): ReturnType<typeof meetAll> =>
  withTransaction(source, { isolation: 'repeatable read', readOnly: true }, async (client) => {
    const here = wave === null ? null : await readWave(client, wave);
    const of =
      (entity: CompiledEntity): Rows =>
      (list) =>
        selectRange(entity, list, here, EVERYONE);
    return meetAll(client, compiled.entities, wanted, of);
  });

/** Customers who stay behind for what was met, and what it was. */
const keptBack = ({ customers, counts }: Awaited<ReturnType<typeof meetAll>>): Quarantined => ({
  customers: [...customers].sort(),
  counts: counts.filter(({ rows }) => rows > 0).map(plain),
});

const keepsBack = ({ kind }: Check): boolean => kind !== 'set';

const plain = ({ id, entity, rows, customers, why }: RuleCount): RuleCount => ({ id, entity, rows, customers, why });

/** The ids are for the caller in this process only; the counts may be shown. */
interface Quarantined {
  customers: string[];
  counts: RuleCount[];
}

/** Customers of the wave with a row that cannot be mapped or that a rule excludes. */
export const quarantine = async (source: Pool, compiled: CompiledConversion, wave: number): Promise<Quarantined> =>
  keptBack(await meetEverywhere(source, compiled, wave, keepsBack));

/** The same among the affected origins of a pass, in its snapshot: a row may become one that cannot be mapped at any time. */
export const unmappableOrigins = async (
  source: PoolClient,
  parts: readonly { entity: CompiledEntity; at: number }[],
  wave: WaveHere,
): Promise<Quarantined> => {
  const origins = new Map(parts.map(({ entity, at }) => [entity, originTable(at)]));
  const of =
    (entity: CompiledEntity): Rows =>
    (list) =>
      selectOrigins(entity, list, wave, origins.get(entity) ?? '');
  return keptBack(await meetAll(source, [...origins.keys()], keepsBack, of));
};

/** Every rule of the conversion with what it meets in all waves; of validity predicates those that meet something. */
export async function ruleCounts(source: Pool, compiled: CompiledConversion): Promise<RuleCount[]> {
  const { counts } = await meetEverywhere(source, compiled, null, () => true);
  return counts.filter(({ kind, rows }) => kind !== 'valid' || rows > 0).map(plain);
}
