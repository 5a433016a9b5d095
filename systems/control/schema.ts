import type { Pool } from 'pg';
import { demandServerVersion } from '../postgres/server-version';
import { inTransaction } from './transaction';
import { CORE_DDL } from './schema-core';
import { WORK_DDL } from './schema-work';

/** Any number; installers of schema `control` take it so that two at once do not trip over each other. */
const INSTALL_LOCK = 7_304_118;

/** Creates schema `control` where it is missing. Idempotent and safe to run from several processes at once. */
export async function installControl(pool: Pool): Promise<void> {
  await inTransaction(pool, async (client) => {
    await demandServerVersion(client);
    await client.query('select pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
    await client.query('set local client_min_messages = warning');
    await client.query(CORE_DDL);
    await client.query(WORK_DDL);
  });
}
