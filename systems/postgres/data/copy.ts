import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/**
 * Pipes the rows of `select` on one connection into `into` (`table (columns)`) on another, as PostgreSQL's own binary
 * bytes: no value passes through a JavaScript type. Returns the rows written.
 */
export async function pipeRows(from: PoolClient, select: string, to: PoolClient, into: string): Promise<number> {
  const source = from.query(copyTo(`copy (${select}) to stdout (format binary)`));
  const sink = to.query(copyFrom(`copy ${into} from stdin (format binary)`));
  await pipeline(source, sink);
  return sink.rowCount;
}
