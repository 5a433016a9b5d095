import type { Pool } from 'pg';
import { demandServerVersion } from '../postgres/server-version';
import { inTransaction } from './transaction';
import { CORE_DDL } from './schema-core';
import { demandControlVersion, VERSION_DDL } from './schema-version';
import { WORK_DDL } from './schema-work';

/** Any number; installers of schema `control` take it so that two at once do not trip over each other. */
const INSTALL_LOCK = 7_304_118;

/**
 * Creates schema `control` where it is missing, and changes nothing where it is there. Safe to run from several processes at once, and while
 * cutovers run. Throws an OtherControlVersion when another build made it.
 */
export async function installControl(pool: Pool): Promise<void> {
  await inTransaction(pool, async (client) => {
    await demandServerVersion(client);
    await client.query('select pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
    if (await demandControlVersion(client)) return;
    await client.query('set local client_min_messages = warning');
    await client.query(CORE_DDL + WORK_DDL + VERSION_DDL);
  });
}
