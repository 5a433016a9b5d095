import type { PoolClient } from 'pg';
import type { CompiledEntity } from './compiled';
import { columnsSql, rowsSql, sourceSide, summarySql, targetSide, type Scope, type Side } from './digest';
import { readWave } from './wave-here';

/** A row that is not equal: its key as a digest, and which columns differ. Holds no values. */
export interface Finding {
  entity: string;
  /** SHA-256 of the target key's canonical form. */
  key: string;
  kind: 'missing' | 'extra' | 'changed' | 'twice';
  columns: string[];
}

export interface Compared {
  /** Mapped rows at the source. */
  rows: number;
  targetRows: number;
  mismatches: number;
  findings: Finding[];
  /** Both sides' digests. */
  digest: string;
}

/** Findings kept of one comparison; the count goes on. */
const KEPT = 100;

interface Summary {
  rows: string;
  digest: string;
}

/** Compares count and digest of a scope, and looks for the rows and columns when they differ. */
export async function compareScope(
  source: PoolClient,
  target: PoolClient,
  entity: CompiledEntity,
  wave: number,
  scope: Scope,
): Promise<Compared> {
  const [atSource, atTarget] = await Promise.all([readWave(source, wave), readWave(target, wave)]);
  const [here, there] = [sourceSide(entity, atSource, scope), targetSide(entity, atTarget, scope)];
  const [ours, theirs] = await Promise.all([
    source.query<Summary>(summarySql(here)),
    target.query<Summary>(summarySql(there)),
  ]);
  const [left, right] = [ours.rows[0]!, theirs.rows[0]!];
  const equal = left.rows === right.rows && left.digest === right.digest;
  const found = equal ? { mismatches: 0, findings: [] } : await locate(source, target, entity, here, there);
  return {
    rows: Number(left.rows),
    targetRows: Number(right.rows),
    // Digests that differ count even where no single row shows it.
    mismatches: equal ? 0 : Math.max(1, found.mismatches),
    findings: found.findings,
    digest: `${left.rows}:${left.digest}|${right.rows}:${right.digest}`,
  };
}

interface RowImage {
  key: string;
  image: string;
}

async function locate(
  source: PoolClient,
  target: PoolClient,
  entity: CompiledEntity,
  here: Side,
  there: Side,
): Promise<{ mismatches: number; findings: Finding[] }> {
  const expected = (await source.query<RowImage>(rowsSql(entity, here))).rows;
  const held = new Map(
    (await target.query<RowImage>(rowsSql(entity, there))).rows.map(({ key, image }) => [key, image]),
  );
  const seen = new Set<string>();
  const found: Finding[] = [];
  for (const { key, image } of expected) {
    const at = { entity: entity.id, key, columns: [] };
    if (seen.has(key)) found.push({ ...at, kind: 'twice' });
    else if (!held.has(key)) found.push({ ...at, kind: 'missing' });
    else if (held.get(key) !== image) found.push({ ...at, kind: 'changed' });
    seen.add(key);
  }
  for (const key of held.keys()) if (!seen.has(key)) found.push({ entity: entity.id, key, kind: 'extra', columns: [] });
  const findings = found.slice(0, KEPT);
  const changed = findings.filter(({ kind }) => kind === 'changed').map(({ key }) => key);
  const columns = await differingColumns(source, target, entity, here, there, changed);
  return {
    mismatches: found.length,
    findings: findings.map((each) => ({ ...each, columns: columns.get(each.key) ?? [] })),
  };
}

async function differingColumns(
  source: PoolClient,
  target: PoolClient,
  entity: CompiledEntity,
  here: Side,
  there: Side,
  keys: string[],
): Promise<Map<string, string[]>> {
  if (keys.length === 0) return new Map();
  const read = async (client: PoolClient, sql: string): Promise<Map<string, string[]>> => {
    const { rows } = await client.query<{ key: string; images: string[] }>(sql, [keys]);
    return new Map(rows.map(({ key, images }) => [key, images]));
  };
  const left = await read(source, columnsSql(entity, here));
  const right = await read(target, columnsSql(entity, there));
  const names = entity.columns.map(({ name }) => name);
  return new Map(keys.map((key) => [key, names.filter((_, at) => left.get(key)?.[at] !== right.get(key)?.[at])]));
}
