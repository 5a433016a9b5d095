import type { Draft, PairDraft } from './draft';
import type { Trouble } from './troubles';

/** What `inspect --output json` prints. Names and numbers only. */
export function inspectionJson(draft: Draft, troubles: readonly Trouble[], written: readonly string[]): object {
  const { source, target } = draft.databases;
  const pair = ({ id, source: from, target: to, columns, missing, unsure, idle }: PairDraft): object => ({
    id,
    source: { table: from.name, key: from.primaryKey, rows: from.rows },
    target: { table: to.name, key: to.primaryKey, rows: to.rows },
    columns,
    missing,
    unsure,
    idle,
  });
  return {
    versions: { source: source.version, target: target.version },
    population: draft.population,
    references: draft.references.map(pair),
    entities: draft.entities.map((entity) => ({
      ...pair(entity),
      owner: draft.owners.source.of.get(entity.source.name),
      after: entity.after,
      sequence: entity.sequence,
      sourceSequence: entity.sourceSequence,
    })),
    leftOut: draft.leftOut,
    circles: draft.circles,
    views: { source: source.views, target: target.views },
    looseSequences: { source: source.looseSequences, target: target.looseSequences },
    troubles,
    written,
  };
}
