import { guardFindings, shapeFindings } from '../schema';
import type { CompiledConversion } from './compiled';
import { saying } from './faults';
import type { Pair } from './pair';

interface Relation {
  name: string;
  sql: string;
}

/** Every table and view the conversion reads or writes on one side. */
function relationsOf({ entities, references }: CompiledConversion, side: keyof Pair): Relation[] {
  const of =
    side === 'target'
      ? [...entities, ...references].map(({ target }) => target)
      : [
          ...references.map(({ source }) => source),
          ...entities.flatMap((entity) =>
            entity.kind === 'row'
              ? [entity.source]
              : [
                  ...entity.changedBy.map(({ table }) => table),
                  ...(entity.back ? [entity.back.table] : []),
                  ...entity.views,
                ],
          ),
        ];
  return [...new Map(of.map(({ name, sql }) => [name, { name, sql }])).values()];
}

/**
 * Keeps the shape of every table and view the conversion reads or writes, to be compared at gates. What was kept stays, unless nothing
 * was copied since: then the shapes are those of now.
 */
export async function keepBaseline(pair: Pair, compiled: CompiledConversion): Promise<void> {
  await saying('keeping the shape of the tables', async () => {
    const copied = await pair.target.query('select from cutover.fence where position is not null limit 1');
    for (const side of ['source', 'target'] as const) {
      const relations = relationsOf(compiled, side);
      await pair[side].query('select cutover.keep_baseline($1, $2, $3)', [
        relations.map(({ name }) => name),
        relations.map(({ sql }) => sql),
        copied.rowCount === 0,
      ]);
    }
  });
}

/** What is not as it was when the copy began, by side; empty lists when all is. */
export interface Integrity {
  /** Guards that are off, or were: writes may have escaped the log. */
  guards: string[];
  /** Tables and views that have another shape than the conversion was made for. */
  shapes: string[];
}

export async function readIntegrity(pair: Pair): Promise<Integrity> {
  return saying('reading guards and shapes', async () => {
    const both = async (read: typeof guardFindings): Promise<string[]> => {
      const [source, target] = await Promise.all([read(pair.source), read(pair.target)]);
      return [...source.map((finding) => `source ${finding}`), ...target.map((finding) => `target ${finding}`)];
    };
    return { guards: await both(guardFindings), shapes: await both(shapeFindings) };
  });
}
