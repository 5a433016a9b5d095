import { census } from '../../../../systems/postgres/data/census';
import { example, POPULATION, type Example } from './example';
import { switchOver } from './steps';

describe('census', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await example();
  });
  afterEach(() => it_.end());

  const even = async (): Promise<Awaited<ReturnType<typeof census>>> => {
    const counted = await census(it_.pair, POPULATION);
    expect(counted.baseline + counted.won).toBe(
      counted.moved + counted.excluded + counted.departed + counted.remaining + counted.missing,
    );
    return counted;
  };

  it('adds up before, between and after, with customers won, departed and excluded', async () => {
    const { source, target } = it_.pair;
    expect(await even()).toEqual({
      baseline: 40,
      won: 0,
      departed: 0,
      moved: 0,
      excluded: 0,
      remaining: 40,
      missing: 0,
      duplicated: 0,
    });
    await source.query(`insert into old.customer (id, name, total, tenure, senior, kind) values ('w1', 'Won', '1', '1', '1', 'home');
      update old.customer set active = 'N' where id = 'c035'`);
    await switchOver(it_, 1);
    await target.query(`update fresh.person set active = false where no = 'c002'`);
    expect(await even()).toEqual({
      baseline: 40,
      won: 1,
      departed: 2,
      moved: 18,
      excluded: 1,
      remaining: 20,
      missing: 0,
      duplicated: 0,
    });
  });

  it('counts a customer whom the system deleted by a write of its own as departed', async () => {
    await it_.pair.source.query(`delete from old.customer where id = 'c021'`);
    expect(await even()).toMatchObject({ missing: 0, departed: 1, remaining: 39, baseline: 40 });
  });

  it('counts a customer who is nowhere, one whose wave two systems own, and one who is there twice', async () => {
    const { source, target } = it_.pair;
    await source.query(`
      alter table old.customer disable trigger all;
      delete from old.customer where id = 'c021';
      alter table old.customer enable trigger all`);
    expect(await even()).toMatchObject({ missing: 1, remaining: 39, baseline: 40 });
    await target.query(`update cutover.wave set state = 'open' where wave = 2`);
    expect(await even()).toMatchObject({ missing: 1, duplicated: 10 });
  });
});
