import { SystemFault, type Stale } from '../../ports';
import { FENCE_STALE, sqlStateOf, toSystemFault } from '../connect';

export const UNIQUE_VIOLATION = '23505';
export const FOREIGN_KEY_VIOLATION = '23503';

/** A fault that says what was being done, without values of rows. A refused fence stays recognisable by its SQLSTATE. */
export function faultIn(what: string, error: unknown): SystemFault {
  const fault = toSystemFault(error);
  return new SystemFault(`${what}: ${fault.message}`, fault.retryable, { cause: fault.cause ?? error });
}

/** Runs `body`; its errors become faults that begin with `what`. */
export async function saying<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw faultIn(what, error);
  }
}

/** Runs `body`; a refused fence becomes the value `stale`, anything else a SystemFault that begins with `what`. */
export async function fenced<T>(what: string, body: () => Promise<T>): Promise<T | Stale> {
  try {
    return await body();
  } catch (error) {
    if (sqlStateOf(error) === FENCE_STALE) return { outcome: 'stale' };
    throw faultIn(what, error);
  }
}
