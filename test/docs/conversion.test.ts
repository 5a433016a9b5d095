import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { parse } from 'yaml';
import { projectDir } from '../../local/paths';
import { conversionSchema } from '../../runbooks/schema/conversion';
import { postgresCustody } from '../../systems/postgres/custody';
import { quarantine, ruleCounts } from '../../systems/postgres/data/quarantine';
import { conversionPair, type Example } from '../systems/postgres/data/example';
import { preload, settle } from '../systems/postgres/data/steps';

const PAGE = readFileSync(join(projectDir(), 'docs', 'conversion.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text!);
const sqlOf = (side: string): string => blocks('sql').find((text) => text.startsWith(`-- ${side}\n`)) ?? '';

interface Part {
  reference?: object;
  entities?: object;
}

/** The page's pieces of one conversion, put together. */
function conversion(): ReturnType<typeof conversionSchema.parse> {
  const parts = blocks('yaml').map((text) => parse(text) as Part);
  return conversionSchema.parse({
    reference: Object.assign({}, ...parts.map((part) => part.reference)) as unknown,
    entities: Object.assign({}, ...parts.map((part) => part.entities)) as unknown,
  });
}

async function printed(pool: Pool, query: string): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(
    `select concat_ws('|', variadic array(select value from json_each_text(row_to_json(q)))) as line from (${query}) q`,
  );
  return rows.map(({ line }) => line);
}

describe('the conversion that the page shows', () => {
  let moved: Example;
  beforeAll(async () => {
    moved = await conversionPair({
      source: sqlOf('source'),
      target: sqlOf('target'),
      conversion: conversion(),
      population: {
        from: 'old.client',
        key: 'id',
        active: 'true',
        target: { from: 'new.person', key: 'no', active: 'true' },
      },
      members: `values ('c1', 1, true), ('c2', 1, true), ('c3', 1, true)`,
    });
  });
  afterAll(() => moved.end());

  it('leaves behind whom the page says, and counts the rule', async () => {
    const { customers } = await quarantine(moved.pair.source, moved.compiled, 1);
    expect(customers).toEqual(['c3']);
    for (const side of ['target', 'source'] as const) await postgresCustody(moved.pair[side]).moveMembers(customers, 0);
    const counts = await ruleCounts(moved.pair.source, moved.compiled);
    expect(Object.fromEntries(counts.map(({ id, rows }) => [id, rows]))).toEqual({ 'no-total': 1, 'person.since': 1 });
  });

  it('gives the rows that the page shows, and follows what is written', async () => {
    await moved.pair.source.query(
      `update old.client set name = 'Somebody' where id = 'c1'; delete from old.line where n = 2`,
    );
    await preload(moved, 1);
    await moved.pair.source.query(
      `update old.client set name = '  Anna  ' where id = 'c1'; insert into old.line values ('c1', 2, '2.50')`,
    );
    await settle(moved, 1);
    const shown = blocks('text').map((text) => text.trimEnd().split('\n'));
    expect(shown.length).toBeGreaterThan(3);
    for (const [query = '', ...lines] of shown) expect(await printed(moved.pair.target, query)).toEqual(lines);
  });
});
