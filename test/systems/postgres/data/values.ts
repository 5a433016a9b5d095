import { conversionSchema } from '../../../../runbooks/schema/conversion';
import { conversionPair, type Example } from './example';

/** One column of the table of values. `@` in a type stands for the schema of its side. */
export interface ValueCase {
  column: string;
  type: string;
  /** Text that PostgreSQL reads as a value of the type; at least two, all different to the byte. */
  values: [string, string, ...string[]];
  /** Pairs that look alike, or are equal to `=`, and yet are two values. */
  twins: [string, string][];
}

const NFC = 'Ren\u00e9e \u01d5';
const NFD = NFC.normalize('NFD');
const LARGE = 'lorem ipsum \u{1F600} '.repeat(60_000);

/** The moment right before, inside, and after the hours that daylight saving takes or gives in Berlin. */
const DST = ['2026-03-29 01:59:59.999999', '2026-03-29 02:30:00', '2026-10-25 02:30:00.000001', '2026-10-25 03:00:00'];

export const VALUES: ValueCase[] = [
  {
    column: 'big',
    type: 'int8',
    values: ['9007199254740993', '-9223372036854775808', '9223372036854775807', '0'],
    twins: [['9007199254740993', '9007199254740992']],
  },
  { column: 'small', type: 'int2', values: ['-32768', '32767'], twins: [['1', '2']] },
  {
    column: 'exact',
    type: 'numeric',
    values: ['NaN', 'Infinity', '-Infinity', '1.0', '1.00', '0', '0.000', '-12345678901234567890.0123456789', '1e-300'],
    twins: [
      ['1.0', '1.00'],
      ['0', '0.0'],
      ['NaN', 'Infinity'],
    ],
  },
  { column: 'cents', type: 'numeric(12,2)', values: ['0.10', 'NaN', '-9999999999.99'], twins: [['0.10', '0.11']] },
  {
    column: 'double',
    type: 'float8',
    values: [
      'NaN',
      'Infinity',
      '-Infinity',
      '0',
      '-0',
      '5e-324',
      '1.7976931348623157e308',
      '0.1',
      '-0.30000000000000004',
    ],
    twins: [
      ['0', '-0'],
      ['0.1', '0.10000000000000002'],
    ],
  },
  { column: 'single', type: 'float4', values: ['NaN', '-Infinity', '-0', '0', '1e-45', '0.1'], twins: [['0', '-0']] },
  {
    column: 'day',
    type: 'date',
    values: ['0044-03-15 BC', '4713-01-01 BC', '-infinity', 'infinity', '5874897-12-31', '1582-10-10', '2000-02-29'],
    twins: [
      ['0001-01-01 BC', '0001-01-01'],
      ['infinity', '5874897-12-31'],
    ],
  },
  {
    column: 'wall',
    type: 'timestamp',
    values: ['0044-03-15 12:00:00.000001 BC', 'infinity', '-infinity', '294276-12-31 23:59:59.999999', ...DST],
    twins: [['2026-03-29 02:30:00.123456', '2026-03-29 02:30:00.123457']],
  },
  {
    column: 'instant',
    type: 'timestamptz',
    values: [
      '0044-03-15 12:00:00.000001+00 BC',
      'infinity',
      '-infinity',
      ...DST.map((at) => `${at} Europe/Berlin`),
      '2026-10-25 02:30:00+02',
      '2026-10-25 02:30:00+01',
      '1900-01-01 00:00:00 Europe/Amsterdam',
    ],
    twins: [
      ['2026-10-25 02:30:00+02', '2026-10-25 02:30:00+01'],
      ['2026-07-01 00:00:00.123456+00', '2026-07-01 00:00:00.123457+00'],
    ],
  },
  { column: 'clock', type: 'time', values: ['24:00:00', '00:00:00.000001'], twins: [['24:00:00', '00:00:00']] },
  { column: 'zoned', type: 'timetz', values: ['12:00:00+01', '11:00:00+00'], twins: [['12:00:00+01', '11:00:00+00']] },
  {
    column: 'span',
    type: 'interval',
    values: [
      '1 day',
      '24 hours',
      '1 mon',
      '30 days',
      '-0.000001 seconds',
      '-1 year -2 mons +3 days -04:05:06.789',
      '0',
    ],
    twins: [
      ['1 day', '24 hours'],
      ['1 mon', '30 days'],
    ],
  },
  {
    column: 'words',
    type: 'text',
    values: [
      NFC,
      NFD,
      '',
      ' ',
      'null',
      '\\N',
      '\t\r\n"\'\\',
      '\u{1D49E}\u{1F469}\u200d\u{1F4BB}\u{10FFFF}',
      '\u0001\u007f\ufeff\u202e',
      LARGE,
    ],
    twins: [
      [NFC, NFD],
      ['a', 'a '],
      ['\u212b', '\u00c5'],
      [LARGE, `${LARGE.slice(0, -1)}\u00a0`],
    ],
  },
  { column: 'short', type: 'varchar(12)', values: ['twelve chars', '\u{1F600}'], twins: [['a', 'a\u200b']] },
  { column: 'fixed', type: 'char(8)', values: ['ab', '', ' ab', '\u{1F600}'], twins: [['ab', ' ab']] },
  { column: 'padded', type: 'bpchar', values: ['ab', 'ab  ', ''], twins: [['ab', 'ab  ']] },
  { column: 'byte', type: '"char"', values: ['x', 'y'], twins: [['x', 'X']] },
  { column: 'caseless', type: 'citext', values: ['Abc', 'ABC', '\u00c9'], twins: [['Abc', 'aBC']] },
  { column: 'bytes', type: 'bytea', values: ['\\x', '\\x00ff5c', '\\x0d0a'], twins: [['\\x', '\\x00']] },
  { column: 'cash', type: 'money', values: ['-12.34', '92233720368547758.07'], twins: [['0.10', '0.11']] },
  { column: 'bits', type: 'bit(8)', values: ['00000001', '10000000'], twins: [['00000001', '00000010']] },
  { column: 'flags', type: 'varbit', values: ['', '0', '00000000000000001'], twins: [['1', '10']] },
  { column: 'yes', type: 'boolean', values: ['t', 'f'], twins: [['t', 'f']] },
  {
    column: 'plain',
    type: 'json',
    values: ['{"n":1.0,  "n":2}', '[1e400, "\\u00e9"]', 'null'],
    twins: [['{"n": 1}', '{"n":1}']],
  },
  {
    column: 'doc',
    type: 'jsonb',
    values: ['{"n": 1.0}', '{"n": 1.00}', '{"n": 9007199254740993.10}', 'null', '"\u{1F600}"', `{"a": "${NFD}"}`],
    twins: [
      ['{"n": 1.0}', '{"n": 1.00}'],
      [`"${NFC}"`, `"${NFD}"`],
    ],
  },
  {
    column: 'longs',
    type: 'int8[]',
    values: ['{}', '{NULL,9007199254740993}', '[0:1]={1,2}', '{{1},{2}}'],
    twins: [['{1,2}', '[0:1]={1,2}']],
  },
  { column: 'texts', type: 'text[]', values: ['{"a,b","",NULL}', '{"NULL","\\\\"}'], twins: [['{NULL}', '{"NULL"}']] },
  { column: 'rates', type: 'numeric[]', values: ['{1.0,NaN}', '{1.00}'], twins: [['{1.0}', '{1.00}']] },
  { column: 'kind', type: '@.kind', values: ['home', 'b\u00fcro', 'HOME'], twins: [['home', 'HOME']] },
  { column: 'fee', type: '@.fee', values: ['0.0', '0.00'], twins: [['0.0', '0.00']] },
  { column: 'label', type: '@.label', values: ['a', 'a\u0301'], twins: [['\u00e1', 'a\u0301']] },
  {
    column: 'range',
    type: 'numrange',
    values: ['[1.0,2)', '[1.00,2)', 'empty', '(,)'],
    twins: [['[1.0,2)', '[1.00,2)']],
  },
  { column: 'place', type: 'point', values: ['(0,-0)', '(NaN,Infinity)'], twins: [['(0,0)', '(0,-0)']] },
  { column: 'net', type: 'inet', values: ['10.0.0.1/8', '::1'], twins: [['10.0.0.1', '10.0.0.1/8']] },
  {
    column: 'guid',
    type: 'uuid',
    values: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    twins: [],
  },
];

const table = (schema: string, rest: string): string => `
  create extension if not exists citext;
  create schema ${schema};
  create domain ${schema}.fee as numeric check (value >= 0);
  create domain ${schema}.label as text collate "C";
  create type ${schema}.kind as enum (${schema === 'old' ? `'home', 'b\u00fcro', 'HOME'` : `'HOME', 'b\u00fcro', 'home'`});
  create table ${schema}.val (id text primary key, cust text not null,
    ${VALUES.map(({ column, type }) => `${column} ${type.replace('@', schema)}`).join(', ')}, ${rest});`;

/** The same table on both sides; each side also computes columns of its own. */
export const valuesExample = (): Promise<Example> =>
  conversionPair({
    source: `${table('old', `twice bigint generated always as (small * 2) stored`)}
      create table old.cust (id text primary key); insert into old.cust select 'v' || g from generate_series(1, 3) g;`,
    target: `${table('fresh', `half numeric generated always as (small / 2.0) stored, twice bigint, born bigint generated always as identity`)}
      create table fresh.cust (id text primary key);`,
    members: `select 'v' || g, g, true from generate_series(1, 3) g`,
    population: {
      from: 'old.cust',
      key: 'id',
      active: 'true',
      target: { from: 'fresh.cust', key: 'id', active: 'true' },
    },
    conversion: conversionSchema.parse({
      entities: {
        cust: {
          from: { table: 'old.cust', key: 'id', customer: 'id' },
          to: { table: 'fresh.cust', key: 'id', customer: 'id' },
          columns: { id: 'id' },
        },
        val: {
          from: { table: 'old.val', key: 'id', customer: 'cust' },
          to: { table: 'fresh.val', key: 'id', customer: 'cust' },
          columns: Object.fromEntries(
            ['id', 'cust', 'twice', ...VALUES.map(({ column }) => column)].map((name) => [name, name]),
          ),
        },
      },
    }),
  });

/** Both sides' values as PostgreSQL itself writes them, row by row; what a side computes for itself is left out. */
export const COLUMNS = ['id', 'cust', ...VALUES.map(({ column }) => column)].join(', ');
