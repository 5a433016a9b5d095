import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../postgres/connect';

/** Runs `body` in a read-only transaction; what the runbook's predicates call cannot write by accident. */
export const readOnly = <T>(pool: Pool, body: (client: PoolClient) => Promise<T>): Promise<T> =>
  withTransaction(pool, { readOnly: true }, body);
