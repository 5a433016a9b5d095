import type { Pool } from 'pg';
import type { Side } from '../../domain/custody';
import { conversionSchema } from '../../runbooks/schema/conversion';
import type { CustodyPort } from '../../systems/ports';
import { connect } from '../../systems/postgres/connect';
import { postgresCustody } from '../../systems/postgres/custody';
import { compileConversion, guardedTables } from '../../systems/postgres/data/compile';
import type { CompiledConversion } from '../../systems/postgres/data/compiled';
import { assignMembers, guardTables, install, seedWaves } from '../../systems/postgres/schema';

export interface Urls {
  source: string;
  target: string;
}

/** What a child process gets as its one argument. */
export interface ChildConfig {
  urls: Urls;
  seed: number;
  /** Unique among all children of the run. */
  index: number;
  journal: string;
  /** Writers in this process. */
  writers: number;
}

export const WAVES = [1, 2, 3];
const PER_WAVE = 10;
/** Rows at the source before the first write. */
export const BORN_ROWS = 400;
/** The longest lease a mover asks for; its sessions give up well before. */
export const LEASE_MS = 1_500;

const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
const MEMBERS = new Map(WAVES.map((wave) => [wave, named(`w${wave}c`, PER_WAVE)]));
const STAYING = named('stays', 2);
/** They have no member row and so belong to the last wave. */
const UNASSIGNED = named('new', 4);

export const CUSTOMERS = [...[...MEMBERS.values()].flat(), ...STAYING, ...UNASSIGNED];

/** Both systems hold the same two tables, so the same mapping carries data either way. */
const CONVERSION = conversionSchema.parse({
  entities: {
    item: {
      from: { table: 'app.item', key: 'id', customer: 'customer' },
      to: { table: 'app.item', key: 'id', customer: 'customer' },
      columns: { id: 'id', customer: 'customer', ops: 'ops' },
    },
    part: {
      from: { table: 'app.part', key: ['item', 'no'], customer: 'customer' },
      to: { table: 'app.part', key: ['item', 'no'], customer: 'customer' },
      after: ['item'],
      columns: { item: 'item', no: 'no', customer: 'customer', op: 'op' },
    },
  },
});

const DDL = `
create schema app;
create table app.item (id bigint primary key, customer text not null, ops text[] not null);
create index on app.item (customer);
create table app.part (item bigint references app.item on delete cascade, no int, customer text not null, op text not null,
  primary key (item, no));
`;

/** One system as a mover sees it. */
export interface SideWorld {
  side: Side;
  /** For custody: every timeout below the lease. */
  own: Pool;
  data: Pool;
  custody: CustodyPort;
}

export interface World {
  source: SideWorld;
  target: SideWorld;
  /** The mapping from the source to the target and back. */
  compiled: Record<Side, CompiledConversion>;
  nextEpoch(): Promise<number>;
  close(): Promise<void>;
}

function sideWorld(side: Side, url: string): SideWorld {
  const own = connect(url, { applicationName: `mover-${process.pid}`, leaseMs: LEASE_MS, max: 3 });
  const data = connect(url, { applicationName: `pass-${process.pid}`, max: 4 });
  return { side, own, data, custody: postgresCustody(own, { freezePatienceMs: 1_500, callPatienceMs: 4_000 }) };
}

export async function enterWorld(urls: Urls): Promise<World> {
  const source = sideWorld('source', urls.source);
  const target = sideWorld('target', urls.target);
  const compiled = {
    source: await compileConversion(CONVERSION, { source: source.data, target: target.data }),
    target: await compileConversion(CONVERSION, { source: target.data, target: source.data }),
  };
  return {
    source,
    target,
    compiled,
    nextEpoch: async () =>
      Number((await source.own.query<{ e: string }>(`select nextval('app.epoch') as e`)).rows[0]?.e),
    close: async () => void (await Promise.all([source, target].flatMap(({ own, data }) => [own.end(), data.end()]))),
  };
}

/** Creates both systems: ten customers in each wave, some without one, some who stay, and rows for all of them at the source. */
export async function createWorld(urls: Urls): Promise<void> {
  const pools = {
    source: connect(urls.source, { applicationName: 'setup' }),
    target: connect(urls.target, { applicationName: 'setup' }),
  };
  for (const side of ['source', 'target'] as const) {
    await pools[side].query(DDL);
    await install(pools[side], side);
    await seedWaves(
      pools[side],
      side,
      WAVES.map((wave) => ({ wave, name: `wave ${wave}` })),
    );
    for (const [wave, customers] of MEMBERS) await assignMembers(pools[side], wave, customers);
    await assignMembers(pools[side], 0, STAYING);
  }
  await pools.source.query('create sequence app.epoch');
  await pools.target.query('create table app.loaded (wave int primary key)');
  await pools.source.query(
    `insert into app.item select n, ($1::text[])[1 + n % cardinality($1)], array['born-' || n] from generate_series(0, $2 - 1) n`,
    [CUSTOMERS, BORN_ROWS],
  );
  await pools.source.query(`insert into app.part select id, 0, customer, 'born-' || id from app.item`);
  const compiled = await compileConversion(CONVERSION, pools);
  await guardTables(pools.source, guardedTables(compiled, 'source'));
  await guardTables(pools.target, guardedTables(compiled, 'target'));
  await Promise.all([pools.source.end(), pools.target.end()]);
}

export const otherSide = (world: World, side: Side): SideWorld => (side === 'source' ? world.target : world.source);
