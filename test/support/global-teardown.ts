import { join } from 'node:path';
import { stackDir } from '../../local/paths';
import { startPostgres } from '../../local/postgres';

export default async function teardown(): Promise<void> {
  const server = await startPostgres(join(stackDir('test'), 'postgres'));
  await server.stop('immediate');
}
