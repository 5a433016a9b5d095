import { Pool } from 'pg';
import { installControl } from '../../../systems/control/schema';
import { freshDatabase } from '../../support/databases';

/** A pool on a new database with schema `control`. */
export async function controlDatabase(name: string): Promise<Pool> {
  const pool = new Pool({ connectionString: await freshDatabase(name), max: 8 });
  pool.on('error', () => undefined); // the server stops under idle connections at the end of a run
  await installControl(pool);
  return pool;
}
