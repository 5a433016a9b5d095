import type { EvidenceItem } from '../domain/evidence';
import { readIntegrity } from '../systems/postgres/data/baseline';
import type { Pair } from '../systems/postgres/data/pair';

/**
 * Whether the logs still tell everything, and the tables are those the conversion was made for: what every other proof at a
 * gate rests on. Nothing before the first preload, when nothing is guarded.
 */
export async function integrityItems(pair: Pair): Promise<EvidenceItem[]> {
  const guarded = await pair.source.query('select from cutover.guarded limit 1');
  if (guarded.rowCount === 0) return [];
  const { guards, shapes } = await readIntegrity(pair);
  return [
    itemOf('guards', 'Guards as installed', guards, 'every table is guarded and logged, as since the copy began'),
    itemOf('shapes', 'Tables as mapped', shapes, 'every table and view has the shape it was mapped with'),
  ];
}

const itemOf = (id: string, title: string, findings: string[], good: string): EvidenceItem => ({
  id,
  kind: 'custody',
  verdict: findings.length === 0 ? 'pass' : 'fail',
  fingerprint: findings.length === 0 ? 'intact' : findings.join('; '),
  title,
  shown: findings.length === 0 ? good : findings.join('; '),
});
