import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Company } from './company';
import { database } from '../place';
import { withClient } from '../../local/with-client';
import { SOURCE_INDEX_SQL, SOURCE_SQL, SOURCE_TABLES } from './schema';

const run = promisify(execFile);
const STREAMS = 2;

/** What raw copying needs. Where it is missing nothing is compared. */
export const hasPsql = (): boolean => spawnSync('psql', ['--version']).status === 0;

/** An empty twin of the source beside the target, with the same keys and indexes as the source. */
export const rawTarget = (company: Company): Promise<string> =>
  database(company.servers.target, `raw_${company.customers}`, SOURCE_SQL + SOURCE_INDEX_SQL);

/** `psql COPY … TO STDOUT | psql COPY … FROM STDIN`, binary, unmapped, each table in two halves side by side. */
export async function rawCopy(from: string, to: string): Promise<void> {
  for (const tables of SOURCE_TABLES) {
    const pages = await withClient(from, async (client) => {
      const { rows } = await client.query<{ table: string; pages: number }>(
        `select t as table, (pg_relation_size(t::regclass) / current_setting('block_size')::int)::int as pages from unnest($1::text[]) t`,
        [tables],
      );
      return rows;
    });
    const halves = Array.from({ length: STREAMS }, (_, stream) =>
      pages
        .map(({ table, pages: size }) => {
          const at = (part: number): string => `'(${Math.floor((size * part) / STREAMS)},0)'::tid`;
          const until = stream === STREAMS - 1 ? '' : ` and ctid < ${at(stream + 1)}`;
          const select = `select * from ${table} where ctid >= ${at(stream)}${until}`;
          return `psql -qX "$FROM" -c "copy (${select}) to stdout (format binary)" | psql -qX -v ON_ERROR_STOP=1 "$TO" -c "copy ${table} from stdin (format binary)"`;
        })
        .join(' && '),
    );
    await Promise.all(
      halves.map((commands) =>
        run('bash', ['-o', 'pipefail', '-ec', commands], { env: { ...process.env, FROM: from, TO: to } }),
      ),
    );
  }
}
