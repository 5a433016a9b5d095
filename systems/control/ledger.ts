import { randomBytes } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { canonicalJson, sha256, storable } from './canonical';
import { inTransaction } from './transaction';

export type Detail = Record<string, string | number | boolean | null>;

/** One line of the ledger; the same shape as the engine's. `at` is epoch ms. */
export interface LedgerLine {
  at: number;
  actor: string;
  action: string;
  subject: string;
  detail?: Detail;
}

export interface StoredLine extends LedgerLine {
  n: number;
  detail: Detail;
  hash: string;
}

/** Fields of `detail` that people type. Their text may name a person, so it lies where it can be erased. */
const TYPED_FIELDS: readonly string[] = ['reason', 'note', 'evidence', 'text', 'comment', 'title'];

/** What the first entry of every chain is linked to. */
export const GENESIS = '0'.repeat(64);
const DIGEST_PREFIX = 'sha256:';

/** Hash of an entry: SHA-256 over the previous hash, a line feed and the entry's canonical JSON. */
export const entryHash = (previous: string, cutover: string, line: Omit<StoredLine, 'hash'>): string =>
  sha256(
    `${previous}\n${canonicalJson({ cutover, n: line.n, at: line.at, actor: line.actor, action: line.action, subject: line.subject, detail: line.detail })}`,
  );

/**
 * Appends to the cutover's chain, one writer at a time. The same (at, actor, action, subject) twice is one entry, the
 * first. Returns the chain's length and head.
 */
export async function append(
  pool: Pool,
  cutover: string,
  entries: readonly LedgerLine[],
): Promise<{ entries: number; head: string }> {
  return inTransaction(pool, async (client) => {
    await client.query('insert into control.ledger_head (cutover, n, hash) values ($1, 0, $2) on conflict do nothing', [
      cutover,
      GENESIS,
    ]);
    const locked = await client.query<{ n: string; hash: string }>(
      'select n, hash from control.ledger_head where cutover = $1 for update',
      [cutover],
    );
    let head = locked.rows[0]?.hash ?? GENESIS;
    let n = Number(locked.rows[0]?.n ?? 0);
    for (const entry of entries) {
      if (await isKnown(client, cutover, entry)) continue;
      const line = { ...named(entry), n: n + 1, detail: await shelve(client, entry.detail ?? {}) };
      head = entryHash(head, cutover, line);
      await client.query(
        `insert into control.ledger (cutover, n, at, actor, action, subject, detail, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [cutover, line.n, line.at, line.actor, line.action, line.subject, JSON.stringify(line.detail), head],
      );
      n = line.n;
    }
    await client.query('update control.ledger_head set n = $2, hash = $3 where cutover = $1', [cutover, n, head]);
    return { entries: n, head };
  });
}

const named = (entry: LedgerLine): { at: number; actor: string; action: string; subject: string } => ({
  at: Math.trunc(entry.at),
  actor: storable(entry.actor),
  action: storable(entry.action),
  subject: storable(entry.subject),
});

async function isKnown(client: PoolClient, cutover: string, entry: LedgerLine): Promise<boolean> {
  const line = named(entry);
  const { rowCount } = await client.query(
    'select from control.ledger where cutover = $1 and at = $2 and actor = $3 and action = $4 and subject = $5',
    [cutover, line.at, line.actor, line.action, line.subject],
  );
  return rowCount !== 0;
}

/** Replaces typed texts by salted digests (a bare digest of a short text can be guessed) and keeps the texts aside. */
async function shelve(client: PoolClient, detail: Detail): Promise<Detail> {
  const kept: Detail = {};
  for (const [field, value] of Object.entries(detail)) {
    if (typeof value !== 'string') kept[field] = value;
    else if (!TYPED_FIELDS.includes(field)) kept[field] = storable(value);
    else {
      const [salt, text] = [randomBytes(16).toString('hex'), storable(value)];
      const digest = sha256(salt + text);
      await client.query('insert into control.ledger_value (digest, salt, value) values ($1, $2, $3)', [
        digest,
        salt,
        text,
      ]);
      kept[field] = DIGEST_PREFIX + digest;
    }
  }
  return kept;
}

/** The lines as the chain holds them, typed texts as digests, in chain order. */
export async function readChain(pool: Pool, cutover: string): Promise<StoredLine[]> {
  const { rows } = await pool.query<Omit<StoredLine, 'n' | 'at'> & { n: string; at: string }>(
    'select n, at, actor, action, subject, detail, hash from control.ledger where cutover = $1 order by n',
    [cutover],
  );
  return rows.map((row) => ({ ...row, n: Number(row.n), at: Number(row.at) }));
}

/** Typed texts by their digest; what was erased is not there. */
export async function readValues(
  pool: Pool,
  lines: readonly StoredLine[],
): Promise<Map<string, { salt: string; value: string }>> {
  const digests = lines.flatMap((line) =>
    Object.entries(line.detail).flatMap(([field, value]) => typedDigest(field, value) ?? []),
  );
  const { rows } = await pool.query<{ digest: string; salt: string; value: string }>(
    'select digest, salt, value from control.ledger_value where digest = any($1)',
    [digests],
  );
  return new Map(rows.map((row) => [row.digest, row]));
}

/** The digest a typed field holds, or null for any other field. */
export function typedDigest(field: string, value: Detail[string]): string | null {
  const typed = TYPED_FIELDS.includes(field) && typeof value === 'string' && value.startsWith(DIGEST_PREFIX);
  return typed ? value.slice(DIGEST_PREFIX.length) : null;
}
