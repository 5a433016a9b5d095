import { createHash } from 'node:crypto';
import { query } from './tiny-systems';

/** Digest of every row of every table of a database, but for the tables named. Equal digests: nothing changed. */
export async function contents(url: string, without: readonly string[] = []): Promise<string> {
  const tables = await query<{ name: string }>(
    url,
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const digest = createHash('sha256');
  for (const { name } of tables.filter((table) => !without.includes(table.name))) {
    const rows = await query<{ line: string }>(url, `select x::text as line from ${name} x order by 1`);
    digest.update(`${name}\n${rows.map(({ line }) => line).join('\n')}\n`);
  }
  return digest.digest('hex');
}
