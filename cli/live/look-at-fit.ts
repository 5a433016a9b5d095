import type { Pool } from 'pg';
import type { Plan } from '../../runbooks/schema/plan';
import type { Runbook } from '../../runbooks/schema/runbook';
import type { Conversion } from '../../runbooks/schema/conversion';
import { withTransaction } from '../../systems/postgres/connect';
import { findMisfits } from '../../systems/postgres/data/compile';
import { describeQuery } from '../../systems/postgres/data/dependencies';
import type { Pair } from '../../systems/postgres/data/pair';
import { findRefused } from '../../systems/postgres/data/refused-statements';
import { typed } from '../../systems/postgres/requests';
import type { Side } from '../../domain/custody';
import { bad, ok, warn, type Diagnosis } from '../doctor/finding';

/** Whether tables, columns, types and queries of the documents are what the databases hold. */
export async function lookAtFit(
  { runbook, conversion, plan }: { runbook: Runbook; conversion: Conversion; plan: Plan | null },
  pair: Pair,
): Promise<Diagnosis[]> {
  const misfits = (await findMisfits(conversion, pair)).map(({ where, what, write }) =>
    bad(`conversion, ${where}`, what, write),
  );
  const queries = [...sourceQueries(runbook, plan), ...targetQueries(runbook)];
  const refused: Diagnosis[] = [];
  for (const { what, side, sql, remedy } of queries) {
    const said = await refusal(pair[side], sql);
    if (said !== null) refused.push(bad(what, said, remedy));
  }
  // Their tables may be missing because the conversion does not fit: one cause is told once.
  if (misfits.length === 0)
    for (const side of ['source', 'target'] as const)
      refused.push(...(await statementsRefused(runbook, pair[side], side)));
  const found = [...misfits, ...refused];
  if (found.length === 0) found.push(ok('conversion', 'it fits both databases'));
  return [...found, ...(await rowsThere(conversion, pair.target))];
}

interface Query {
  what: string;
  side: keyof Pair;
  sql: string;
  remedy: string;
}

/** The parts of the documents that are SQL over the systems' own tables. */
function sourceQueries({ population, work }: Runbook, plan: Plan | null): Query[] {
  const { from, key, active } = population;
  const query = (what: string, sql: string, remedy: string): Query => ({ what, side: 'source', sql, remedy });
  return [
    query(
      'population',
      `select ${key}::text as x from ${from} where (${active ?? 'true'})`,
      'correct `population` of the runbook',
    ),
    ...(plan?.waves ?? []).flatMap(({ id, where }) =>
      where === undefined
        ? []
        : [
            query(
              `wave ${id}`,
              `select ${key}::text as x from ${from} where (${where})`,
              'correct `where` of the wave in the plan',
            ),
          ],
    ),
    ...Object.entries(work).flatMap(([id, each]) =>
      'from' in each && each.system === 'source'
        ? [
            query(
              `work ${id}`,
              `select ${each.key}::text as x, ${each.customer}::text as y from ${each.from} where (${each.open})`,
              'correct the work stock in the runbook',
            ),
          ]
        : [],
    ),
  ];
}

function targetQueries({ population: { target } }: Runbook): Query[] {
  const sql = `select ${target.key}::text as x from ${target.from} where (${target.active ?? 'true'})`;
  return [{ what: 'population', side: 'target', sql, remedy: 'correct `population.target` of the runbook' }];
}

/** Measures, totals and requests: SQL that reads schema `cutover` beside the system's own tables. */
async function statementsRefused(runbook: Runbook, pool: Pool, side: Side): Promise<Diagnosis[]> {
  const { population } = runbook;
  const statements = [
    ...runbook.success.flatMap((each) => ('sql' in each ? [{ what: `success, ${each.id}`, sql: each.sql[side] }] : [])),
    ...Object.entries(runbook.totals).map(([id, each]) => ({ what: `totals, ${id}`, sql: each[side] })),
    ...Object.entries(runbook.requests).map(([id, each]) => ({ what: `requests, ${id}`, sql: typed(each[side]) })),
  ];
  const customers = side === 'source' ? population : population.target;
  const refused = await findRefused(pool, customers, statements);
  return refused.map(({ what, said }) => bad(`${what} (${side})`, said, `correct its \`${side}\` in the runbook`));
}

const refusal = (pool: Pool, sql: string): Promise<string | null> =>
  withTransaction(pool, {}, async (client) => {
    const described = await describeQuery(client, sql);
    return 'refused' in described ? described.refused : null;
  });

/** Rows that are in the target before anything was copied are somebody's: their keys may meet those that come. */
async function rowsThere(conversion: Conversion, target: Pool): Promise<Diagnosis[]> {
  const found: Diagnosis[] = [];
  const installed = await target.query<{ there: boolean }>(`select to_regclass('cutover.meta') is not null as there`);
  if (installed.rows[0]?.there) return found;
  for (const { to } of Object.values(conversion.entities)) {
    const there = await target.query<{ there: boolean }>('select to_regclass($1) is not null as there', [to.table]);
    if (!there.rows[0]?.there) continue;
    const { rows } = await target.query<{ any: boolean }>(`select exists (select from ${to.table}) as any`);
    if (rows[0]?.any)
      found.push(
        warn(
          'target',
          `${to.table} holds rows before anything was copied`,
          'see whose they are, and that their keys are others',
        ),
      );
  }
  return found;
}
