import type { ResolvedRun } from '../../../runbooks/resolved';
import { connect } from '../../../systems/postgres/connect';
import type { Pair } from '../../../systems/postgres/data/pair';
import { assignPopulation, ownDivision, refuseOtherDivision } from '../../../systems/postgres/population';
import {
  assignMembers,
  beginDivision,
  dividedBy,
  install,
  seedWaves,
  takeOverDivision,
} from '../../../systems/postgres/schema';
import { freshDatabase } from '../../support/databases';

/** What the assignment reads of a run: forty customers, those up to `pilotUpTo` in wave 1. */
const run = (pilotUpTo: string): ResolvedRun =>
  ({
    runbook: { population: { from: 'old.customer', key: 'id' } },
    plan: { waves: [{ id: 'pilot', where: `id <= '${pilotUpTo}'` }, { id: 'rest' }] },
  }) as ResolvedRun;

let pair: Pair;
beforeEach(async () => {
  const open = async (side: string) => connect(await freshDatabase(`population_${side}`), { applicationName: 'test' });
  pair = { source: await open('source'), target: await open('target') };
  await pair.source.query(
    `create schema old; create table old.customer (id text primary key);
     insert into old.customer select 'c' || to_char(g, 'FM00') from generate_series(1, 40) g`,
  );
  for (const side of ['source', 'target'] as const) {
    await install(pair[side], side);
    await seedWaves(pair[side], side, [
      { wave: 1, name: 'pilot' },
      { wave: 2, name: 'rest' },
    ]);
  }
});
afterEach(() => Promise.all([pair.source.end(), pair.target.end()]));

/** Assigns; how many customers routing is told of, by wave. */
async function assign(
  pilotUpTo: string,
  cutover = 'night-1',
  before: string | null = null,
): Promise<Record<number, number>> {
  const told: Record<number, number> = {};
  for (const side of ['target', 'source'] as const) await takeOverDivision(pair[side], cutover, before);
  const population = await assignPopulation(pair, run(pilotUpTo), cutover, (customers, wave) => {
    told[wave] = (told[wave] ?? 0) + customers.length;
    return Promise.resolve();
  });
  expect(population).toBe(40);
  return told;
}

const TWO = [`id <= 'c10'`, null];
const THREE = [`id <= 'c10'`, 'false', null];

/** The pilot lives at the target; one of its customers stayed behind. */
async function pilotMoved(): Promise<void> {
  for (const side of ['source', 'target'] as const)
    await pair[side].query(`update cutover.member set wave = 0 where customer = 'c03'`);
  await pair.source.query(`update cutover.wave set state = 'sealed' where wave = 1`);
  await pair.target.query(`update cutover.wave set state = 'open' where wave = 1`);
}

test('routing is told the wave of every customer; those who stayed behind in an earlier cutover are of none', async () => {
  expect(await assign('c10')).toEqual({ 1: 10, 2: 30 });
  await pilotMoved();
  expect(await assign('c10')).toEqual({ 0: 1, 1: 9, 2: 30 });
});

test('once anything has moved the division stands, whatever a later plan says of its customers', async () => {
  await assign('c10');
  await pilotMoved();
  expect(await assign('c20')).toEqual({ 0: 1, 1: 9, 2: 30 });
});

test('before anything has moved, a later plan divides anew: who is in which wave, who was left behind, and how many waves there are', async () => {
  await assign('c10');
  for (const side of ['source', 'target'] as const)
    await pair[side].query(`update cutover.member set wave = 0 where customer = 'c03'`);
  expect(await assign('c05')).toEqual({ 1: 5, 2: 35 });
  const { plan, runbook } = run('c05');
  const one = { runbook, plan: { ...plan, waves: [{ id: 'all' }] } } as ResolvedRun;
  const told: number[] = [];
  for (const side of ['target', 'source'] as const) await takeOverDivision(pair[side], 'night-2', 'night-1');
  await assignPopulation(pair, one, 'night-2', (_, wave) => (told.push(wave), Promise.resolve()));
  expect(told).toEqual([1]);
  for (const side of ['source', 'target'] as const) {
    expect((await pair[side].query('select wave from cutover.wave order by wave')).rows).toEqual([
      { wave: 0 },
      { wave: 1 },
    ]);
    await seedWaves(pair[side], side, [
      { wave: 1, name: 'pilot' },
      { wave: 2, name: 'rest' },
    ]);
  }
  expect(await assign('c10', 'night-1', 'night-2')).toEqual({ 1: 10, 2: 30 });
});

test('an attempt that is over divides no more', async () => {
  await assign('c10');
  await expect(assignMembers(pair.source, 1, ['c40'], 'night-1')).rejects.toMatchObject({
    message: expect.stringContaining('divided already'),
  });
  await expect(beginDivision(pair.source, 'night-2')).rejects.toThrow('divided by another cutover');
  await takeOverDivision(pair.source, 'night-2', 'night-1');
  await beginDivision(pair.source, 'night-2');
  await expect(assignMembers(pair.source, 1, ['c40'], 'night-1')).rejects.toThrow('divided already');
  expect(await dividedBy(pair.source)).toBe('night-2');
});

test('a plan with another number of waves is refused once anything has moved, and not before', async () => {
  const refused = (conditions: (string | null)[]) =>
    refuseOtherDivision(pair, { cutover: 'night-1', conditions }, () => Promise.resolve(() => Promise.resolve(TWO)));
  await assign('c10');
  await refused(THREE);
  await pilotMoved();
  await refused(TWO);
  await expect(refused(THREE)).rejects.toMatchObject({
    retryable: false,
    message: expect.stringMatching(/divided into 2 waves.*this plan has 3: start with a plan of 2 waves/),
  });
});

test('what another cutover divided is divided anew only when that one is over', async () => {
  await assign('c10');
  const asked: string[] = [];
  const refused = (cutover: string, over: boolean) =>
    refuseOtherDivision(
      pair,
      { cutover, conditions: THREE },
      (other) => (asked.push(other), Promise.resolve(over ? () => Promise.resolve(TWO) : null)),
    );
  await refused('night-1', false);
  await refused('night-2', true);
  await expect(refused('night-2', false)).rejects.toMatchObject({
    retryable: false,
    message: expect.stringMatching(
      /divided by cutover night-1, which is open.*roll it back first, or start under that id/,
    ),
  });
  expect(asked).toEqual(['night-1', 'night-1']);
});

test('a division that stands belongs to the cutover that goes on from it', async () => {
  await assign('c10');
  const refused = (cutover: string, open: string | null, conditions: (string | null)[] = TWO) =>
    refuseOtherDivision(pair, { cutover, conditions }, (other) =>
      Promise.resolve(other === open ? null : () => Promise.resolve(TWO)),
    );
  await pair.target.query(`update cutover.fence set position = '5:5:' where key = 'wave/1'`);
  await expect(refused('night-2', 'night-1')).rejects.toThrow('divided by cutover night-1, which is open');
  await refused('night-2', null);
  await expect(refused('night-2', null, [`id <= 'c20'`, null])).rejects.toThrow(
    'divided as cutover night-1 had them, and what it copied still stands; the waves of this plan have other conditions',
  );
  await pair.source.query(`update cutover.member set wave = 0 where customer = 'c03'`);
  const own = () =>
    ownDivision(pair, { cutover: 'night-2', conditions: TWO }, () => Promise.resolve(() => Promise.resolve(TWO)));
  await own();
  expect(await assign('c10', 'night-2')).toEqual({ 0: 1, 1: 9, 2: 30 });
  await refused('night-2', 'night-2');
  await expect(refused('night-3', 'night-2')).rejects.toThrow('divided by cutover night-2, which is open');
  await pair.source.query(`update cutover.division set cutover = 'night-1'`); // killed between the two
  await own();
  expect(await dividedBy(pair.source)).toBe('night-2');
});

test('the source of a cutover that is open is not divided for another target', async () => {
  await assign('c10');
  await pair.target.query('delete from cutover.division');
  await expect(ownDivision(pair, { cutover: 'night-2', conditions: TWO }, () => Promise.resolve(null))).rejects.toThrow(
    'divided by cutover night-1, which is open',
  );
  expect(await dividedBy(pair.source)).toBe('night-1');
});

test('of two cutovers that saw the same division one has it; the other is refused, however late it goes on', async () => {
  await assign('c10', 'night-1');
  const ownLate = (cutover: string, quicker: () => Promise<unknown>) =>
    ownDivision(pair, { cutover, conditions: THREE }, async () => {
      await quicker();
      return () => Promise.resolve(TWO);
    });
  const quicker = () => assign('c05', 'night-2', 'night-1');
  await expect(ownLate('night-3', quicker)).rejects.toThrow('started at the same moment');
  expect(await assign('c10', 'night-4', 'night-2')).toEqual({ 1: 10, 2: 30 });
  await expect(quicker()).rejects.toThrow('started at the same moment');
  await expect(beginDivision(pair.target, 'night-2')).rejects.toThrow('divided by another cutover');
  const third = [{ wave: 3, name: 'third' }];
  await expect(seedWaves(pair.target, 'target', third, 'night-2')).rejects.toThrow('started at the same moment');
  await seedWaves(pair.target, 'target', third, 'night-4');
});

test('customers whom another cutover has brought to the target are not divided beside it', async () => {
  await assign('c10');
  const refused = (cutover: string, over: boolean) =>
    refuseOtherDivision(pair, { cutover, conditions: TWO }, () =>
      Promise.resolve(over ? () => Promise.resolve(TWO) : null),
    );
  await pilotMoved();
  await refused('night-1', true);
  await expect(refused('night-2', true)).rejects.toThrow(
    'the customers of wave 1 have left the source, moved by cutover night-1: roll that one back first',
  );
  // nor for another target, whatever its id
  await pair.target.query(`delete from cutover.division; update cutover.wave set state = 'sealed' where wave = 1`);
  await expect(refused('night-2', true)).rejects.toThrow('have left the source, moved by cutover night-1');
  const third = [1, 2, 3].map((wave) => ({ wave, name: `w${wave}` }));
  await expect(seedWaves(pair.source, 'source', third, 'night-1')).rejects.toThrow(
    'have left the source, and the plan adds waves: start with as many as there are',
  );
});
