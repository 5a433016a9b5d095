import { pipeline } from 'node:stream/promises';
import type { Client, PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/**
 * Pipes the rows of `select` on one connection into `into` (`table (columns)`) on another, as PostgreSQL's own binary
 * bytes: no value passes through a JavaScript type. Returns the rows written. When it throws, the connection that was read is closed.
 */
export async function pipeRows(from: PoolClient, select: string, to: PoolClient, into: string): Promise<number> {
  const source = from.query(copyTo(`copy (${select}) to stdout (format binary)`));
  const sink = to.query(copyFrom(`copy ${into} from stdin (format binary)`));
  try {
    await pipeline(source, sink);
  } catch (error) {
    for (const stream of [source, sink]) stream.on('error', () => undefined); // its connection may be lost later
    closeUnread(from);
    throw error;
  }
  return sink.rowCount;
}

/** Nobody reads what is left of the rows, so whatever is asked of this session next would wait for its answer for ever. */
function closeUnread(client: PoolClient): void {
  void (client as PoolClient & Pick<Client, 'end'>).end();
}
