import type { Pool } from 'pg';
import type { Runbook } from '../../../runbooks/schema/runbook';
import { withTransaction } from '../connect';
import { saying } from './faults';
import { ident } from './names';
import type { Pair } from './pair';

export type Population = Pick<Runbook['population'], 'from' | 'key' | 'active' | 'target'>;

/** Proofs of live verification, at the target: the chunk was equal on both sides at these positions. */
const PROOF = `
  create table if not exists cutover.proof (
    wave int not null,
    entity text not null,
    no int not null,
    chunks int not null,
    lo text,
    hi text,
    position text not null,
    target_position text not null,
    rows bigint not null,
    digest text not null,
    at timestamptz not null default clock_timestamp(),
    primary key (wave, entity, no)
  )`;

/**
 * Whose copy of a wave is at the target, and the tables it is in with their customer columns, parents first; `kept`: its run ended and
 * left it to the next one of its cutover.
 */
const COPY = `
  create table if not exists cutover.copy (
    wave int primary key,
    cutover text not null,
    conversion text not null,
    capture text not null,
    target_position text not null,
    tables jsonb not null,
    kept boolean not null default false
  )`;

/** What the source has no place for, as it was brought back from the target. Personal data: it goes with schema `cutover`. */
const RESIDUE = `
  create table if not exists cutover.residue (
    entity text not null,
    key text[] not null,
    row jsonb not null,
    primary key (entity, key)
  )`;

const qualified = (table: string): string => table.split('.').map(ident).join('.');

/**
 * `cutover.members` lists the customers of the wave named by the transaction's setting `cutover.scope_wave`, of all waves
 * when it is 0 or empty: totals and measures join it. Customers of the population without a member row belong to the last wave.
 */
export const members = (table: string, key: string): string => `
  create or replace view cutover.members as
  with scope as materialized (
    select coalesce(nullif(current_setting('cutover.scope_wave', true), ''), '0')::int as wave,
      (select max(wave) from cutover.wave) as last
  )
  select m.customer as customer_id from cutover.member m, scope s where s.wave in (0, m.wave)
  union all
  select p.${ident(key)}::text from ${qualified(table)} p, scope s
  where s.wave in (0, s.last) and not exists (select from cutover.member m where m.customer = p.${ident(key)}::text)`;

async function create(pool: Pool, statements: string[]): Promise<void> {
  await withTransaction(pool, {}, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtext('cutover.data'))`);
    for (const statement of statements) await client.query(statement);
  });
}

/** Creates what moving data needs beside the tables of `install`, on both sides. Idempotent. */
export async function installData(pair: Pair, population: Population): Promise<void> {
  await saying('installing the data tables', async () => {
    await create(pair.source, [RESIDUE, members(population.from, population.key)]);
    await create(pair.target, [PROOF, COPY, members(population.target.from, population.target.key)]);
  });
}
