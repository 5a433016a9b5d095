import type { Pool } from 'pg';
import { SystemFault } from '../ports';
import { sha256 } from './canonical';

export interface StoredDocument {
  hash: string;
  kind: string;
  body: string;
}

/** Stores a document under the SHA-256 (hex) of its text and returns that hash. The same text twice is one row. */
export async function putDocument(pool: Pool, kind: string, body: string): Promise<string> {
  const hash = sha256(body);
  await pool.query('insert into control.document (hash, kind, body) values ($1, $2, $3) on conflict do nothing', [
    hash,
    kind,
    body,
  ]);
  return hash;
}

/** The document, or null when there is none. Throws a SystemFault when the stored text is not what its hash says. */
export async function getDocument(pool: Pool, hash: string): Promise<StoredDocument | null> {
  const { rows } = await pool.query<StoredDocument>('select hash, kind, body from control.document where hash = $1', [
    hash,
  ]);
  const found = rows[0];
  if (!found) return null;
  if (sha256(found.body) !== hash) throw new SystemFault(`document ${hash} was changed after it was stored`, false);
  return found;
}
