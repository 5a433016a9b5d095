import type { Pool } from 'pg';
import { sha256 } from './canonical';
import { entryHash, GENESIS, readChain, readValues, typedDigest, type Detail, type StoredLine } from './ledger';

export interface ChainCheck {
  entries: number;
  head: string;
  /** The first entry that is not what was appended; absent when the chain is whole. */
  brokenAt?: number;
}

/** The entries for people to read: typed texts in place, null where they were erased. */
export async function read(pool: Pool, cutover: string): Promise<StoredLine[]> {
  const lines = await readChain(pool, cutover);
  const values = await readValues(pool, lines);
  const shown = (detail: Detail): Detail =>
    Object.fromEntries(
      Object.entries(detail).map(([field, value]) => {
        const digest = typedDigest(field, value);
        return [field, digest === null ? value : (values.get(digest)?.value ?? null)];
      }),
    );
  return lines.map((line) => ({ ...line, detail: shown(line.detail) }));
}

/**
 * Recomputes the chain. A changed field, a missing, added or reordered entry and a changed typed text break it at that
 * entry; an erased text does not. `knownHead` is a head noted elsewhere (a report): a chain rebuilt as a whole does not
 * lead there, which shows as a break after the last entry.
 */
export async function verifyChain(pool: Pool, cutover: string, knownHead?: string): Promise<ChainCheck> {
  const lines = await readChain(pool, cutover);
  const values = await readValues(pool, lines);
  const intact = (line: StoredLine): boolean =>
    Object.entries(line.detail).every(([field, value]) => {
      const digest = typedDigest(field, value);
      const kept = digest === null ? undefined : values.get(digest);
      return kept === undefined || sha256(kept.salt + kept.value) === digest;
    });
  let head = GENESIS;
  for (const [index, line] of lines.entries()) {
    const hash = entryHash(head, cutover, line);
    if (line.n !== index + 1 || line.hash !== hash || !intact(line)) {
      return { entries: lines.length, head, brokenAt: index + 1 };
    }
    head = hash;
  }
  const { rows } = await pool.query<{ n: string; hash: string }>(
    'select n, hash from control.ledger_head where cutover = $1',
    [cutover],
  );
  const noted = rows[0] ?? { n: '0', hash: GENESIS };
  const whole = Number(noted.n) === lines.length && noted.hash === head;
  const expected = knownHead === undefined || head === knownHead || lines.some((line) => line.hash === knownHead);
  return { entries: lines.length, head, ...(whole && expected ? {} : { brokenAt: lines.length + 1 }) };
}

/** Erases the typed texts of the given entries. The chain stays whole; returns how many texts are gone. */
export async function eraseValues(pool: Pool, cutover: string, entries: readonly number[]): Promise<number> {
  const lines = (await readChain(pool, cutover)).filter((line) => entries.includes(line.n));
  const digests = lines.flatMap((line) =>
    Object.entries(line.detail).flatMap(([field, value]) => typedDigest(field, value) ?? []),
  );
  const { rowCount } = await pool.query('delete from control.ledger_value where digest = any($1)', [digests]);
  return rowCount ?? 0;
}
