import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { stackDir } from '../../local/paths';
import { startPostgres } from '../../local/postgres';

/** One PostgreSQL server for the whole run, with no databases of earlier runs. */
export default async function setup(): Promise<void> {
  const dir = join(stackDir('test'), 'postgres');
  const left = await startPostgres(dir, { fsync: 'off', max_connections: '300' });
  await left.stop('immediate');
  rmSync(dir, { recursive: true, force: true });
  await startPostgres(dir, { fsync: 'off', max_connections: '300' });
}
