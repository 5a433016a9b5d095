import type { Pool } from 'pg';
import { STAYS_WAVE, type Side } from '../../domain/custody';
import type { ResolvedRun } from '../../runbooks/resolved';
import { saying } from './data/faults';
import type { Pair } from './data/pair';
import { SystemFault } from '../ports';
import { assignMembers, beginDivision, dividedBy, endDivision, takeOverDivision } from './schema';

/** The target first, as with every change of membership. */
const SIDES = ['target', 'source'] as const;

/** Writers wait while a page is written. */
const PAGE = 5_000;

/**
 * Gives every customer of the population its wave, in both systems and, by `project`, for routing. Resolves to the size
 * of the population. Before anything has moved, `cutover`, whose the division is, divides anew; once anything has moved, or is copied, the
 * division stands. Routing is told what the source says: of an earlier cutover over the same systems some stay behind there, and its waves
 * may stand.
 */
export async function assignPopulation(
  pair: Pair,
  run: ResolvedRun,
  cutover: string,
  project: (customers: string[], wave: number) => Promise<void>,
): Promise<number> {
  if (!(await hasMoved(pair))) {
    for (const side of SIDES) await beginDivision(pair[side], cutover);
    for (const [index, wave] of run.plan.waves.entries())
      await eachChosen(pair.source, run, { id: wave.id, predicate: predicateOf(run, index + 1) }, async (customers) => {
        await assignMembers(pair.target, index + 1, customers, cutover);
        await assignMembers(pair.source, index + 1, customers, cutover);
      });
    for (const side of SIDES) await endDivision(pair[side], cutover, run.plan.waves.length);
  }
  await eachMember(pair.source, project);
  const counted = await pair.source.query<{ population: string }>(
    'select count(*) as population from cutover.member where baseline',
  );
  return Number(counted.rows[0]?.population ?? 0);
}

/** Whom the plan has in a wave: those that meet its condition and none of an earlier one. */
function predicateOf({ plan }: ResolvedRun, wave: number): string {
  const where = plan.waves[wave - 1]?.where;
  const earlier = plan.waves.slice(0, wave - 1).flatMap((other) => (other.where === undefined ? [] : [other.where]));
  const mine = where === undefined ? [] : [`(${where})`];
  return [...earlier.map((other) => `(${other}) is not true`), ...mine].join(' and ') || 'true';
}

/** Customers the plan has in the wave and the source knows as left behind. */
export async function staying(source: Pool, run: ResolvedRun, wave: number): Promise<string[]> {
  const { key } = run.runbook.population;
  const predicate = `${predicateOf(run, wave)} and ${key}::text in (select customer from cutover.member where wave = ${STAYS_WAVE})`;
  const found: string[] = [];
  await eachChosen(source, run, { id: run.plan.waves[wave - 1]?.id ?? String(wave), predicate }, (customers) => {
    found.push(...customers);
    return Promise.resolve();
  });
  return found;
}

/**
 * Customers of the wave whom a change of wave that was cut short left with another wave at the target than at the source: by the wave
 * the source has them in, which is where they are.
 */
export async function halfMoved(pair: Pair, wave: number): Promise<Map<number, string[]>> {
  const staysAt = async (pool: Pool): Promise<string[]> =>
    (
      await pool.query<{ customer: string }>('select customer from cutover.member where wave = $1', [STAYS_WAVE])
    ).rows.map(({ customer }) => customer);
  const inWaveAt = async (pool: Pool, customers: string[]): Promise<string[]> =>
    (
      await pool.query<{ c: string }>('select c from unnest($1::text[]) c where cutover.wave_of(c) = $2', [
        customers,
        wave,
      ])
    ).rows.map(({ c }) => c);
  const [here, there] = await Promise.all([staysAt(pair.source), staysAt(pair.target)]);
  const [known, knownThere] = [new Set(here), new Set(there)];
  return new Map([
    [
      wave,
      await inWaveAt(
        pair.source,
        there.filter((customer) => !known.has(customer)),
      ),
    ],
    [
      STAYS_WAVE,
      await inWaveAt(
        pair.target,
        here.filter((customer) => !knownThere.has(customer)),
      ),
    ],
  ]);
}

/** The conditions of a plan's waves, in their order; null: the wave of all others. */
type Conditions = (string | null)[];
type Own = { cutover: string; conditions: Conditions };
type Over = (cutover: string) => Promise<(() => Promise<Conditions>) | null>;

export const conditionsOf = ({ waves }: ResolvedRun['plan']): Conditions => waves.map(({ where }) => where ?? null);

/**
 * The division of the customers is this cutover's from now on, in both systems. Throws when it may not have it, see `refuseOtherDivision`, and when
 * somebody else has taken it since that was asked. `install` has run. Idempotent.
 */
export async function ownDivision(pair: Pair, own: Own, over: Over): Promise<void> {
  const before = await refuseOtherDivision(pair, own, over);
  for (const side of SIDES) await takeOverDivision(pair[side], own.cutover, before[side]);
}

/**
 * Throws unless the cutover may have the customers in its plan's waves. They are not another cutover's that is not over, or that brought some to
 * the target: the two would take each other's customers. Once something has moved the division stands, and the plan must divide as
 * it did: by as many waves (who has no member row belongs to the last one, and would belong to another), and by the conditions of another
 * cutover that one goes on from. `over` reads these of a cutover that is over, and is null for any other. Resolves to whose the division is,
 * null when nobody has divided them; the systems differ where an attempt was killed in between.
 */
export async function refuseOtherDivision(
  pair: Pair,
  { cutover, conditions }: Own,
  over: Over,
): Promise<Record<Side, string | null>> {
  const owners = { target: await dividedBy(pair.target), source: await dividedBy(pair.source) };
  const before: { by: string; conditions: () => Promise<Conditions> }[] = [];
  for (const by of new Set([owners.target, owners.source]))
    if (by !== null && by !== cutover) before.push({ by, conditions: await refuseBeside(pair, by, over) });
  if (!(await hasMoved(pair))) return owners;
  const known = await pair.target.query<{ waves: number }>(
    'select count(*)::int as waves from cutover.wave where wave > 0',
  );
  const there = known.rows[0]?.waves ?? 0;
  if (there !== 0 && there !== conditions.length)
    throw new SystemFault(
      `the customers of these systems are divided into ${there} waves, and some have moved or are copied; this plan has ${conditions.length}: ` +
        `start with a plan of ${there} waves, or roll back what was moved first`,
      false,
    );
  for (const { by, conditions: theirs } of before)
    if (JSON.stringify(await theirs()) !== JSON.stringify(conditions))
      throw new SystemFault(
        `the customers of these systems are divided as cutover ${by} had them, and what it copied still stands; the waves of this plan ` +
          'have other conditions (`where`): give them those of that one, or drop schema cutover in both systems and what was copied',
        false,
      );
  return owners;
}

/** Another cutover is not over, or its customers have left the source, for this target or another: a second one would say they are there. */
async function refuseBeside(pair: Pair, by: string, over: Over): Promise<() => Promise<Conditions>> {
  const conditions = await over(by);
  if (conditions === null)
    throw new SystemFault(
      `the customers of these systems are divided by cutover ${by}, which is open, or of another control database: ` +
        `roll it back first, or start under that id; in a copy of a system, drop schema cutover`,
      false,
    );
  const gone = new Set<number>();
  for (const [side, state] of [
    ['target', `state <> 'sealed'`],
    ['source', `state = 'sealed'`],
  ] as const) {
    const { rows } = await pair[side].query<{ wave: number }>(
      `select wave from cutover.wave where wave > 0 and ${state}`,
    );
    for (const { wave } of rows) gone.add(wave);
  }
  if (gone.size === 0) return conditions;
  throw new SystemFault(
    `the customers of wave ${[...gone].toSorted((x, y) => x - y).join(', ')} have left the source, moved by cutover ${by}: roll that one back first`,
    false,
  );
}

async function hasMoved(pair: Pair): Promise<boolean> {
  const moved = await pair.target.query<{ moved: boolean }>(
    `select exists (select from cutover.fence where position is not null) or exists (select from cutover.wave where state <> 'sealed') as moved`,
  );
  return moved.rows[0]?.moved ?? false;
}

/** Every customer the source has a wave for, wave 0 included. */
async function eachMember(source: Pool, body: (customers: string[], wave: number) => Promise<void>): Promise<void> {
  const read = async (after: string | null): Promise<{ customer: string; wave: number }[]> =>
    (
      await source.query<{ customer: string; wave: number }>(
        `select customer, wave from cutover.member where $1::text is null or customer collate "C" > $1 collate "C"
         order by customer collate "C" limit ${PAGE}`,
        [after],
      )
    ).rows;
  await eachPage(read, async (rows) => {
    for (const wave of new Set(rows.map((row) => row.wave)))
      await body(
        rows.filter((row) => row.wave === wave).map(({ customer }) => customer),
        wave,
      );
  });
}

/** Customers of the population that meet the predicate of a wave. */
async function eachChosen(
  source: Pool,
  run: ResolvedRun,
  { id, predicate }: { id: string; predicate: string },
  body: (customers: string[]) => Promise<void>,
): Promise<void> {
  const { from, key } = run.runbook.population;
  const read = (after: string | null): Promise<{ customer: string }[]> =>
    saying(`choosing the customers of wave ${id}`, async () => {
      const { rows } = await source.query<{ customer: string }>(
        `select ${key}::text as customer from ${from}
         where ($1::text is null or ${key}::text collate "C" > $1 collate "C") and ${predicate}
         order by ${key}::text collate "C" limit ${PAGE}`,
        [after],
      );
      return rows;
    });
  await eachPage(read, (rows) => body(rows.map(({ customer }) => customer)));
}

/** Reads page by page, each from the last customer of the one before, until one is empty. */
async function eachPage<R extends { customer: string }>(
  read: (after: string | null) => Promise<R[]>,
  body: (rows: R[]) => Promise<void>,
): Promise<void> {
  let rows = await read(null);
  while (rows.length > 0) {
    await body(rows);
    rows = await read(rows.at(-1)?.customer ?? null);
  }
}
