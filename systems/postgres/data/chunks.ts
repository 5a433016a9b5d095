import type { Pool } from 'pg';
import { SystemFault } from '../../ports';
import type { CompiledConversion, CompiledEntity } from './compiled';
import { saying } from './faults';
import { selectRange, sortable } from './forward';
import { ident } from './names';
import { EVERYONE } from './pair';
import { inSnapshot } from './transaction';
import { readWave } from './wave-here';

/** A range of customers of one entity. `no` counts from 0 within the entity. */
export interface Chunk {
  entity: string;
  no: number;
  /** First and last customer, as text; both included. */
  lo: string;
  hi: string;
  rows: number;
  /** Entities of which every chunk must be done before this one is claimed. */
  after: string[];
}

/**
 * Cuts each entity of the wave into ranges of customers of about `chunkRows` rows, parents first. A customer is never
 * cut in two. Throws when a row is nobody's, or the mapping gives it to another customer than its source row: both systems know a
 * customer by one id.
 */
export async function planChunks(
  compiled: CompiledConversion,
  source: Pool,
  wave: number,
  chunkRows: number,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (const entity of compiled.entities)
    chunks.push(...(await saying(`planning entity ${entity.id}`, () => planEntity(entity, source, wave, chunkRows))));
  return chunks;
}

/** Rows looked at for each stretch: its size is then about right, within a tenth mostly. */
const SAMPLED = 500;

/**
 * Customers, as text, after which an entity is cut into stretches of about `rows` source rows, whatever wave they are in. Cheaper than a
 * plan: nothing is counted, and of large stretches only a sample is sorted.
 */
export async function cutPoints(entity: CompiledEntity, source: Pool, rows: number): Promise<string[]> {
  const own = sortable(entity, `${ident(entity.alias)}.${ident(entity.sourceCustomer.name)}`);
  const share = Math.min(1, SAMPLED / rows);
  return saying(`cutting entity ${entity.id}`, async () => {
    const found = await source.query<{ c: string }>(
      `select c::text from (select c, row_number() over (order by c) as n
         from (${selectRange(entity, `${own} as c`, null, EVERYONE)}) every where random() < $2) numbered
       where n % $1 = 0 order by n`,
      [Math.round(rows * share), share],
    );
    return [...new Set(found.rows.map(({ c }) => c))];
  });
}

async function planEntity(entity: CompiledEntity, source: Pool, wave: number, chunkRows: number): Promise<Chunk[]> {
  const own = `${ident(entity.alias)}.${ident(entity.sourceCustomer.name)}`;
  const owner = entity.columns.find(({ name }) => name === entity.targetCustomer.name)!.forward;
  const list = `${sortable(entity, own)} as c, (${owner})::text is distinct from ${own}::text as estranged`;
  const { rows } = await inSnapshot(source, async (client) => {
    const mapped = selectRange(entity, list, await readWave(client, wave), EVERYONE);
    return client.query<{ lo: string; hi: string; rows: string; estranged: string; nobodys: string }>(
      `select (array_agg(c order by c))[1]::text as lo, (array_agg(c order by c desc))[1]::text as hi,
         sum(n) as rows, sum(estranged) as estranged, coalesce(sum(n) filter (where c is null), 0) as nobodys
       from (select c, n, estranged, (sum(n) over (order by c) - n)::bigint / $1::bigint as part
             from (select c, count(*) as n, count(*) filter (where estranged) as estranged
                   from (${mapped}) mapped group by c) customers) parts
       group by part order by part`,
      [chunkRows],
    );
  });
  const nobodys = rows.reduce((sum, row) => sum + Number(row.nobodys), 0);
  if (nobodys > 0)
    throw new SystemFault(
      `entity ${entity.id}: ${nobodys} rows have no customer in ${entity.sourceCustomer.name}: give them one, or leave them out with \`where\``,
      false,
    );
  const estranged = rows.reduce((sum, row) => sum + Number(row.estranged), 0);
  if (estranged > 0)
    throw new SystemFault(
      `entity ${entity.id}: ${estranged} rows are mapped to another customer than they belong to at the source; ` +
        `map ${entity.targetCustomer.name} from ${entity.sourceCustomer.name} unchanged`,
      false,
    );
  return rows.map(({ lo, hi, rows: count }, no) => ({
    entity: entity.id,
    no,
    lo,
    hi,
    rows: Number(count),
    after: entity.after,
  }));
}
