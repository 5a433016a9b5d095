import { SystemFault, type Stale } from '../../ports';

/** SQLSTATE of a fence that has another epoch, raised by `cutover.take_fence`. */
const STALE = 'CU002';

/** What a PostgreSQL error tells without telling values: its message and detail may quote rows. */
interface DatabaseError {
  code: string;
  constraint?: string;
  table?: string;
  column?: string;
}

export function databaseError(error: unknown): DatabaseError | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const field = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : undefined;
  };
  const [constraint, table, column] = [field('constraint'), field('table'), field('column')];
  return {
    code: error.code,
    ...(constraint === undefined ? {} : { constraint }),
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
  };
}

/** Data and schema do not heal by trying again; connections, locks, serialization and resources may. */
const isPermanent = (code: string): boolean => /^(22|23|42|0A|CU)/.test(code);

/** Turns any error into a SystemFault whose message names `what` and, of a database error, only names and codes. */
export function asFault(error: unknown, what: string): SystemFault {
  if (error instanceof SystemFault) return error;
  const known = databaseError(error);
  if (!known) {
    const kind = error instanceof Error ? error.name : 'error';
    return new SystemFault(`${what}: ${kind}`, true, { cause: error });
  }
  const named = [
    known.constraint && `constraint ${known.constraint}`,
    known.table && `table ${known.table}`,
    known.column && `column ${known.column}`,
  ].filter(Boolean);
  const message = [`${what}: SQLSTATE ${known.code}`, ...named].join(', ');
  return new SystemFault(message, !isPermanent(known.code), { cause: known });
}

/** Runs `body`; a refused fence becomes the value `stale`, anything else a SystemFault. */
export async function fenced<T>(what: string, body: () => Promise<T>): Promise<T | Stale> {
  try {
    return await body();
  } catch (error) {
    if (databaseError(error)?.code === STALE) return { outcome: 'stale' };
    throw asFault(error, what);
  }
}

/** Runs `body`; errors become SystemFaults that name `what`. */
export async function guarded<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (databaseError(error)?.code === STALE) throw error;
    throw asFault(error, what);
  }
}
