import type { Pool } from 'pg';
import type { Side } from '../../domain/custody';
import { packRunbook } from '../../runbooks/load';
import { putDocument } from '../../systems/control/documents';
import { registerCutover } from '../../systems/control/cutovers';
import { projectMembers, seedRouting, setCustody, setIntake } from '../../systems/control/routing';
import { installControl } from '../../systems/control/schema';
import { connect } from '../../systems/postgres/connect';
import { assignMembers, guardTables, install, seedWaves } from '../../systems/postgres/schema';
import { freshDatabase } from '../support/databases';

/** Kinds: `order` writes one row; `check` breaks a constraint; `broken` names no table; `slow` waits on an advisory lock. */
const RUNBOOK = `
runbook: tiny
version: 1
title: Tiny
timeZone: Europe/Amsterdam
conversion: conversion.yaml
pointOfNoReturn: done
roles: { lead: own }
systems: { source: { adapter: postgres, urlEnv: SOURCE_URL }, target: { adapter: postgres, urlEnv: TARGET_URL } }
limits: { frozenAtMost: PT1H, heldAtMost: PT1H }
population: { system: source, from: app.customer, key: id, target: { from: app.customer, key: id } }
script: { source: Old system., moving: Being moved., target: New system. }
requests:
  order: &order
    source: insert into app.item (customer, body) values ($2::text, $1::jsonb)
    target: insert into app.item (customer, body) values ($2::text, $1::jsonb)
  check:
    source: insert into app.item (customer, body) values ($2::text, null)
    target: insert into app.item (customer, body) values ($2::text, null)
  broken:
    source: insert into app.nowhere (customer) values ($2::text)
    target: insert into app.nowhere (customer) values ($2::text)
  slow:
    source: with waited as (select pg_advisory_xact_lock_shared(77)) insert into app.item (customer, body) select $2::text, $1::jsonb from waited
    target: insert into app.item (customer, body) values ($2::text, $1::jsonb)
perWave:
  - phase: night
    owner: lead
    steps: [{ kind: task }]
    gate: { id: done, votes: [lead], onNoGo: hold }
`.replace('&order', '');

const CONVERSION = `
entities:
  item:
    from: { table: app.item, key: id, customer: customer }
    to: { table: app.item, key: id, customer: customer }
    columns: { id: id, customer: customer, body: body }
`;

export interface Stage {
  urls: { control: string; source: string; target: string };
  control: Pool;
  source: Pool;
  target: Pool;
  cutover: string;
  /** A higher one each time. */
  epoch(): number;
  /** Routing of wave 1. */
  intake(intake: 'open' | 'held'): Promise<unknown>;
  custody(custody: 'source' | 'moving' | 'target'): Promise<unknown>;
  /** Lets one system, both or none accept wave 1, in the systems themselves. */
  accepts(sides: Side[]): Promise<void>;
  items(side: Side, customer: string): Promise<unknown[]>;
  end(): Promise<void>;
}

/** Real control, source and target databases with guards; customers 1001 and 1002 in wave 1, everyone else in wave 2. */
export async function stage(name: string, { register = true } = {}): Promise<Stage> {
  const [control, source, target] = await Promise.all(['c', 's', 't'].map((side) => freshDatabase(`${name}_${side}`)));
  const urls = { control: control!, source: source!, target: target! };
  const open = (url: string): Pool => connect(url, { applicationName: `test-${name}` });
  const pools = { control: open(urls.control), source: open(urls.source), target: open(urls.target) };
  const waves = [
    { wave: 1, name: 'pilot' },
    { wave: 2, name: 'rest' },
  ];
  for (const side of ['source', 'target'] as const) {
    await pools[side].query('create schema app');
    await pools[side].query(
      'create table app.item (id bigint generated always as identity primary key, customer text not null, body jsonb not null)',
    );
    await install(pools[side], side);
    await seedWaves(pools[side], side, waves);
    await assignMembers(pools[side], 1, ['1001', '1002']);
    await guardTables(pools[side], [{ table: 'app.item', keyColumns: ['id'], customerColumn: 'customer' }]);
  }
  await installControl(pools.control);
  const cutover = 'night-1';
  if (register) await registerStage(pools.control, cutover, waves);
  let epoch = 0;
  const ref = { cutover, wave: 1 };
  return {
    urls,
    ...pools,
    cutover,
    epoch: () => ++epoch,
    intake: (intake) => setIntake(pools.control, { ...ref, intake, epoch: ++epoch }),
    custody: (custody) => setCustody(pools.control, { ...ref, custody, epoch: ++epoch }),
    async accepts(sides) {
      for (const side of ['source', 'target'] as const) {
        await pools[side].query('update cutover.wave set state = $1 where wave = 1', [
          sides.includes(side) ? 'open' : 'sealed',
        ]);
      }
    },
    async items(side, customer) {
      const { rows } = await pools[side].query<{ body: unknown }>(
        'select body from app.item where customer = $1 order by id',
        [customer],
      );
      return rows.map((row) => row.body);
    },
    async end() {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
    },
  };
}

export async function registerStage(
  control: Pool,
  cutover: string,
  waves: { wave: number; name: string }[],
): Promise<void> {
  const runbookHash = await putDocument(control, 'runbook', packRunbook(RUNBOOK, CONVERSION));
  await registerCutover(control, {
    cutover,
    runbook: 'tiny',
    runbookHash,
    planHash: 'p',
    startedBy: 'lea',
    workflowId: 'w',
  });
  await seedRouting(control, cutover, waves);
  await projectMembers(control, cutover, ['1001', '1002'], 1);
}

/** What the runbook above says, for tests below HTTP. */
export const REQUESTS = Object.fromEntries(
  Object.entries({
    order: 'insert into app.item (customer, body) values ($2::text, $1::jsonb)',
    check: 'insert into app.item (customer, body) values ($2::text, null)',
    broken: 'insert into app.nowhere (customer) values ($2::text)',
  }).map(([kind, sql]) => [kind, { source: sql, target: sql }]),
);
