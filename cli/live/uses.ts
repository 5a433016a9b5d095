import type { Side } from '../../domain/custody';
import type { Conversion } from '../../runbooks/schema/conversion';
import type { Runbook } from '../../runbooks/schema/runbook';
import type { TableUse, Uses } from './look-at-rights';

const ALL = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;
const COPY = 'preload, catchUp, convert';

/** What the steps of a runbook do to one side, by its conversion. Each table once, with all that is done to it. */
export function usesOf(runbook: Runbook, conversion: Conversion, side: Side): Uses {
  const tables = new Map<string, TableUse>();
  const add = (use: TableUse): void => {
    if (!tables.get(use.table)?.guarded) tables.set(use.table, use);
  };
  for (const entity of Object.values(conversion.entities)) {
    const steps = side === 'source' ? `${COPY}, rollback` : `${COPY}, switch`;
    const guarded = (table: string): void => add({ table, guarded: true, privileges: ALL, steps });
    if (side === 'target') guarded(entity.to.table);
    else if ('table' in entity.from) guarded(entity.from.table);
    else [...Object.keys(entity.from.changedBy), ...(entity.back ? [entity.back.table] : [])].forEach(guarded);
  }
  for (const reference of Object.values(conversion.reference ?? {})) {
    const use =
      side === 'source'
        ? { table: reference.from, privileges: ['SELECT'] as const }
        : { table: reference.to, privileges: ['SELECT', 'INSERT', 'UPDATE'] as const };
    add({ ...use, guarded: false, steps: COPY });
  }
  const { from, target } = runbook.population;
  add({
    table: side === 'source' ? from : target.from,
    guarded: false,
    privileges: ['SELECT'],
    steps: 'the start of the run',
  });
  const work = Object.entries(runbook.work).filter(([, each]) => each.system === side);
  for (const [id, each] of work)
    if ('from' in each) add({ table: each.from, guarded: false, privileges: ['SELECT'], steps: `drain (${id})` });
  const queues = work.flatMap(([id, each]) => ('queue' in each && each.broker === 'pgboss' ? [id] : []));
  return {
    tables: [...tables.values()],
    sequences: sequencesOf(conversion, side),
    schemas: queues.length > 0 ? [{ name: 'pgboss', steps: `drain (${queues.join(', ')})` }] : [],
  };
}

function sequencesOf(conversion: Conversion, side: Side): { name: string; steps: string }[] {
  return Object.values(conversion.entities).flatMap(({ to, sourceSequence }) => {
    const name = side === 'source' ? sourceSequence : to.sequence?.name;
    return name === undefined ? [] : [{ name, steps: side === 'source' ? 'rollback' : 'switch' }];
  });
}
