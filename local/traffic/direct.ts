import type { ClientBase } from 'pg';

export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

export type Attempt<T> =
  { outcome: 'acknowledged'; value: T } | { outcome: 'refused'; code: string } | { outcome: 'unknown'; value: T };

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** The SQLSTATE of a server's answer; undefined when the connection is gone (no answer, or the server went away). */
function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  if (typeof code !== 'string' || !SQLSTATE.test(code)) return undefined;
  return code.startsWith('08') || code.startsWith('57P') ? undefined : code;
}

/**
 * Runs `work` in one transaction. Only an answered COMMIT is `acknowledged`; a connection lost while COMMIT was on its
 * way leaves `unknown`; everything else did not happen. `work` answers undefined when there is nothing to do.
 * Errors that no system answered and that came before COMMIT are `refused` with code `lost`.
 */
export async function attempt<T>(
  client: ClientBase,
  isolation: Isolation,
  work: () => Promise<T | undefined>,
): Promise<Attempt<T>> {
  let value: T | undefined;
  try {
    await client.query(`begin isolation level ${isolation}`);
    value = await work();
    if (value === undefined) {
      await client.query('rollback');
      return { outcome: 'refused', code: 'nothing-to-do' };
    }
  } catch (error) {
    const code = sqlState(error);
    if (code === undefined && !lostConnection(error)) throw error;
    const over = code !== undefined && (await rolledBack(client));
    return { outcome: 'refused', code: over ? code : 'lost' };
  }
  try {
    const result = await client.query('commit');
    return result.command === 'COMMIT'
      ? { outcome: 'acknowledged', value }
      : { outcome: 'refused', code: 'rolled-back' };
  } catch (error) {
    const code = sqlState(error);
    return code === undefined ? { outcome: 'unknown', value } : { outcome: 'refused', code };
  }
}

/** False when the connection is gone, and the transaction with it. */
async function rolledBack(client: ClientBase): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch (error) {
    if (lostConnection(error)) return false;
    throw error;
  }
}

/** Whether the error is the connection's and not a fault of this program. */
export function lostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('08') || code.startsWith('57P')) return true;
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code)) return true;
  return /connection (terminated|ended|error)|not queryable|client was closed|timeout/i.test(error.message);
}
