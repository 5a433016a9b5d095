import { conversionSchema } from '../../../../runbooks/schema/conversion';
import { carryBackPass } from '../../../../systems/postgres/data/carry-back';
import { startCarryBack } from '../../../../systems/postgres/data/position';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { conversionPair, lines, type Example } from './example';
import { preload, settle } from './steps';

/** Tables by the type of their keys. Every second column is the key; `spellings` are two values that `=` takes for one. */
const KEYS = {
  caseless: { types: ['citext'], keys: [['Abc'], ['\u00e4'], ['x y']], spellings: [['Abc'], ['aBC']] },
  scaled: { types: ['numeric'], keys: [['1.0'], ['20'], ['-0.5']], spellings: [['1.0'], ['1.000']] },
  span: {
    types: ['interval'],
    keys: [['1 day'], ['-1 mon'], ['00:00:00.000001']],
    spellings: [['1 day'], ['24 hours']],
  },
  words: {
    types: ['text'],
    keys: [['Ren\u00e9'], ['Rene\u0301'], [''], ['NULL'], ['{"a,b"}'], ['\u{1F600}\\'], [' a'], ['a']],
  },
  blanks: { types: ['char(6)'], keys: [['ab'], [' ab'], ['']] },
  moments: {
    types: ['timestamptz', 'date'],
    keys: [
      ['2026-10-25 02:30:00.000001+02', '0044-03-15 BC'],
      ['2026-10-25 02:30:00.000001+01', '0044-03-15'],
      ['infinity', '-infinity'],
    ],
  },
  ratio: { types: ['@.share'], keys: [['0.30000000000000004'], ['0.3'], ['-1e-300']] },
  mixed: {
    types: ['bytea', 'uuid', 'int8'],
    keys: [
      ['\\x00', '00000000-0000-0000-0000-000000000001', '9007199254740993'],
      ['\\x00', '00000000-0000-0000-0000-000000000001', '9007199254740992'],
    ],
  },
} satisfies Record<string, { types: string[]; keys: string[][]; spellings?: [string[], string[]] }>;

type Name = keyof typeof KEYS;
const NAMES = Object.keys(KEYS) as Name[];
const at = (side: string, type: string): string => type.replace('@', side);
const columns = (name: Name): string[] => KEYS[name].types.map((_, n) => `k${n}`);

const table = (side: string, name: Name): string => {
  const keys = KEYS[name].types.map((type, n) => `k${n} ${at(side, type)}`).join(', ');
  return `create table ${side}.${name} (${keys}, cust text not null, note text, primary key (${columns(name).join(', ')}));`;
};
const schema = (side: string): string => `create extension if not exists citext; create schema ${side};
  create domain ${side}.share as float8; ${NAMES.map((name) => table(side, name)).join('\n')}
  create table ${side}.numbered (id bigint generated always as identity primary key, cust text not null, note text);
  create table ${side}.cust (id text primary key);`;

const entity = (name: string, key: string[]): object => ({
  from: { table: `old.${name}`, key, customer: 'cust' },
  to: { table: `fresh.${name}`, key, customer: 'cust' },
  columns: Object.fromEntries([...key, 'cust', 'note'].map((column) => [column, column])),
});

const keysExample = (): Promise<Example> =>
  conversionPair({
    source: `${schema('old')} insert into old.cust values ('v1'), ('v2'), ('v3');`,
    target: schema('fresh'),
    members: `select 'v' || g, g, true from generate_series(1, 3) g`,
    population: {
      from: 'old.cust',
      key: 'id',
      active: 'true',
      target: { from: 'fresh.cust', key: 'id', active: 'true' },
    },
    conversion: conversionSchema.parse({
      entities: {
        ...Object.fromEntries(NAMES.map((name) => [name, entity(name, columns(name))])),
        numbered: entity('numbered', ['id']),
      },
    }),
  });

describe('keys of every kind', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await keysExample();
  });
  afterEach(() => it_.end());

  /** From a session whose settings write keys in another way than ours. */
  async function write(side: 'source' | 'target', statements: [string, unknown[]][]): Promise<void> {
    const client = await it_.pair[side].connect();
    try {
      await client.query(`begin; set local timezone = 'America/St_Johns'; set local datestyle = 'SQL, DMY'; set local extra_float_digits = -15;
        set local intervalstyle = 'sql_standard'; set local bytea_output = 'escape'`);
      for (const [sql, values] of statements) await client.query(sql, values);
      await client.query('commit');
    } finally {
      client.release();
    }
  }

  const where = (name: Name, side: string, from = 1): string =>
    KEYS[name].types.map((type, n) => `k${n} = $${n + from}::text::${at(side, type)}`).join(' and ');
  const insertAll = (name: Name): [string, unknown[]][] =>
    KEYS[name].keys.map((key) => [
      `insert into old.${name} values (${KEYS[name].types.map((type, n) => `$${n + 1}::text::${at('old', type)}`).join(', ')}, 'v1', 'born')`,
      key,
    ]);

  async function expectSame(): Promise<void> {
    for (const name of [...NAMES, 'numbered']) {
      const here = await lines(it_.pair.source, `select '${name}', t.* from old.${name} t`);
      expect(await lines(it_.pair.target, `select '${name}', t.* from fresh.${name} t`)).toEqual(here);
    }
    const verified = await verifyWave(it_.pair, it_.compiled, 1, 1, { scope: 'frozen' });
    expect(verified).toMatchObject({ mismatches: 0, findings: [] });
  }

  it('are found again by every change, there and back, whatever the writer’s session says', async () => {
    for (const name of NAMES) await write('source', insertAll(name));
    await write('source', [
      [`insert into old.numbered (cust, note) select 'v1', g::text from generate_series(1, 5) g`, []],
    ]);
    await preload(it_, 1);
    await expectSame();
    for (const name of NAMES) {
      const [first, second] = KEYS[name].keys;
      await write('source', [
        [`update old.${name} set note = 'changed' where ${where(name, 'old')}`, first ?? []],
        [`delete from old.${name} where ${where(name, 'old')}`, second ?? []],
      ]);
    }
    await write('source', [
      [`delete from old.numbered where id = 2`, []],
      [`update old.numbered set note = 'x' where id = 3`, []],
    ]);
    await settle(it_, 1);
    await expectSame();
    for (const name of NAMES)
      expect(await lines(it_.pair.target, `select note from fresh.${name} where note = 'changed'`)).toHaveLength(1);

    await it_.pair.target.query(`update cutover.wave set state = 'open' where wave = 1`);
    await it_.pair.source.query(`update cutover.wave set state = 'sealed' where wave = 1`);
    await startCarryBack(it_.pair, 1, 1);
    for (const name of NAMES)
      await write('target', [
        [`update fresh.${name} set note = 'returned' where ${where(name, 'fresh')}`, KEYS[name].keys[0] ?? []],
      ]);
    await write('target', [
      [`insert into fresh.numbered (id, cust, note) overriding system value values (77, 'v1', 'born there')`, []],
      [`delete from fresh.numbered where id = 1`, []],
    ]);
    expect(await carryBackPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ rows: NAMES.length + 2, lagRows: 0 });
    await expectSame();
  });

  it('that only change their spelling are followed to the byte, there and back', async () => {
    const respell = async (side: 'source' | 'target', to: 0 | 1): Promise<void> => {
      const schema = side === 'source' ? 'old' : 'fresh';
      for (const name of ['caseless', 'scaled', 'span'] as const) {
        const [type] = KEYS[name].types;
        const [value] = KEYS[name].spellings[to];
        await write(side, [
          [`update ${schema}.${name} set k0 = $1::text::${type} where k0 = $1::text::${type}`, [value]],
        ]);
      }
    };
    for (const name of ['caseless', 'scaled', 'span'] as const) await write('source', insertAll(name));
    await preload(it_, 1);
    await respell('source', 1);
    await settle(it_, 1);
    expect(await lines(it_.pair.target, 'select k0 from fresh.caseless')).toContain('(aBC)');
    await expectSame();
    await it_.pair.target.query(`update cutover.wave set state = 'open' where wave = 1`);
    await it_.pair.source.query(`update cutover.wave set state = 'sealed' where wave = 1`);
    await startCarryBack(it_.pair, 1, 1);
    await respell('target', 0);
    expect(await carryBackPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ rows: 3 });
    await expectSame();
  });
});

describe('what cannot be moved to the byte', () => {
  it('is refused when the conversion is compiled, with the table, the column and the reason', async () => {
    const ddl = (side: string): string => `create extension hstore; create schema ${side};
      create type ${side}.pair as (a int, b text); create type ${side}.kind as enum ('x');
      create table ${side}.keyless (id text, cust text);
      create table ${side}.odd (id text primary key, cust text not null, both_ ${side}.pair, many ${side}.kind[], tags hstore, proc regclass,
        seq bigint generated always as identity, sum int generated always as (1 + 1) stored);`;
    const all = ['id', 'cust', 'both_', 'many', 'tags', 'proc', 'seq', 'sum'];
    const conversion = {
      entities: {
        keyless: { ...entity('keyless', ['id']), columns: { id: 'id', cust: 'cust' } },
        odd: { ...entity('odd', ['id']), columns: Object.fromEntries(all.map((name) => [name, name])) },
      },
    };
    const setting = {
      source: ddl('old'),
      target: ddl('fresh'),
      conversion: conversionSchema.parse(conversion),
      members: `values ('v1', 1, true)`,
      population: {
        from: 'old.odd',
        key: 'id',
        active: 'true',
        target: { from: 'fresh.odd', key: 'id', active: 'true' },
      },
    };
    const refusal = await conversionPair(setting).then(
      () => 'compiled',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
    expect(refusal.split('\n').slice(1)).toEqual([
      expect.stringMatching(/^entity keyless: old\.keyless has no primary key, so its changes cannot be followed\. /),
      expect.stringMatching(/^entity keyless: fresh\.keyless has no primary key\. /),
      expect.stringMatching(/^entity odd, column both_: its type fresh\.pair has no built-in form to travel in\. /),
      expect.stringMatching(/^entity odd, column many: its type fresh\._kind has no built-in form/),
      expect.stringMatching(/^entity odd, column tags: its type public\.hstore has no built-in form/),
      expect.stringMatching(/^entity odd, column proc: its type pg_catalog\.regclass has no built-in form/),
      expect.stringMatching(/^entity odd, column seq: fresh\.odd always generates it/),
      expect.stringMatching(/^entity odd, column sum: fresh\.odd computes it itself/),
    ]);
  });
});
