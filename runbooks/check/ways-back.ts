import type { Conversion, Entity } from '../schema/conversion';
import type { Path } from '../yaml/source';
import { report, type CheckContext, type Rule } from './context';

const BARE = /^[a-z_][a-z0-9_]*$/;
const list = (keys: string | readonly string[]): readonly string[] => (typeof keys === 'string' ? [keys] : keys);

/** BACK: every key and every column returns to the source, or is declared as residue. */
export const waysBack: Rule = (context) => {
  for (const [id, entity] of Object.entries(context.conversion?.entities ?? {})) {
    const path: Path = ['entities', id];
    if ('query' in entity.from) queryWayBack(context, path, id, entity);
    else tableWayBack(context, path, id, entity, list(entity.from.key));
    residue(context, path, entity);
    sent(context, path, entity);
  }
};

/** What is in the outside world is known by its mark: where that does not come back, a rollback would have it sent again. */
function sent(context: CheckContext, path: Path, entity: Entity): void {
  const { sent: predicate, from, columns } = entity;
  if (predicate === undefined || 'query' in from) return;
  const back = Object.values(columns).flatMap((column) =>
    typeof column === 'string' || column.back === undefined ? [] : [column.into ?? column.to],
  );
  if (back.some((name) => BARE.test(name.trim()) && new RegExp(`\\b${name.trim()}\\b`).test(predicate))) return;
  report(context, 'conversion', [...path, 'sent'], {
    code: 'sent-without-back',
    message:
      '`sent` reads no column that comes back: after a rollback the source would send again what the target sent',
    remedy: 'map the column that marks what was sent, with its `back`',
  });
}

function tableWayBack(
  context: CheckContext,
  path: Path,
  id: string,
  entity: Entity,
  sourceKey: readonly string[],
): void {
  const written = new Set<string>();
  const without: string[] = [];
  for (const [name, column] of Object.entries(entity.columns)) {
    if (typeof column === 'string' || column.back === undefined) {
      if (!entity.residue?.includes(name)) without.push(name);
      continue;
    }
    const into = column.into ?? (BARE.test(column.to.trim()) ? column.to.trim() : undefined);
    if (into !== undefined) written.add(into);
    else {
      report(context, 'conversion', [...path, 'columns', name, 'back'], {
        code: 'back-without-into',
        message: '`back` does not say which source column it writes',
        remedy: 'add `into: COLUMN` (only when `to` is a bare column it is known)',
      });
    }
  }
  if (written.size === 0 && without.length > 0) {
    report(context, 'conversion', path, {
      code: 'entity-without-back',
      message: `\`${id}\` has no way back to the source`,
      remedy: 'give its columns `back`',
      atKey: true,
    });
    return;
  }
  for (const name of without) {
    report(context, 'conversion', [...path, 'columns', name], {
      code: 'column-without-back',
      message: `\`${name}\` has no way back: what the target changes in it would be lost`,
      remedy: 'write { to: …, back: … }, or list it in `residue` of the entity',
      atKey: true,
    });
  }
  for (const key of sourceKey.filter((name) => !written.has(name))) {
    report(context, 'conversion', [...path, 'from', 'key'], {
      code: 'key-without-back',
      message: `no column writes the key \`${key}\` on the way back: rows born at the target could not return`,
      remedy: `give one column \`back\` with \`into: ${key}\``,
    });
  }
}

function queryWayBack(context: CheckContext, path: Path, id: string, entity: Entity): void {
  if (!entity.back) {
    report(context, 'conversion', path, {
      code: 'entity-without-back',
      message: `\`${id}\` comes from a query and has no way back to the source`,
      remedy: 'add `back: { table, key, query }` over the relation `target`',
      atKey: true,
    });
    return;
  }
  const { query } = entity.back;
  if (!/\b(from|join)\s+target\b/i.test(query)) {
    report(context, 'conversion', [...path, 'back', 'query'], {
      code: 'back-not-from-target',
      message: 'the query does not read the relation `target`',
      remedy: 'write `from target`',
    });
  }
  for (const name of Object.keys(entity.columns)) {
    if (new RegExp(`\\b${name}\\b`).test(query) || entity.residue?.includes(name)) continue;
    report(context, 'conversion', [...path, 'columns', name], {
      code: 'column-without-back',
      message: `\`${name}\` is not read on the way back: what the target changes in it would be lost`,
      remedy: 'use it in `back.query`, or list it in `residue` of the entity',
      atKey: true,
    });
  }
}

function residue(context: CheckContext, path: Path, entity: Entity): void {
  entity.residue?.forEach((name, index) => {
    if (Object.hasOwn(entity.columns, name) && !list(entity.to.key).includes(name)) return;
    const isKey = Object.hasOwn(entity.columns, name);
    report(context, 'conversion', [...path, 'residue', index], {
      code: isKey ? 'key-as-residue' : 'unknown-column',
      message: isKey ? `the key \`${name}\` cannot be left behind` : `there is no column \`${name}\``,
      remedy: isKey ? 'give it `back`' : 'write a target column of this entity',
    });
  });
}

/** Columns, rules and sequences of the mapping that contradict each other. */
export const mapping: Rule = (context) => {
  const conversion = context.conversion;
  if (!conversion) return;
  const owners = new Map<string, string>();
  for (const [id, { to, key, columns }] of Object.entries(conversion.reference ?? {})) {
    const path: Path = ['reference', id];
    if (!Object.hasOwn(columns, key)) unmapped(context, [...path, 'key'], key, 'the key');
    onlyWriter(context, owners, [...path, 'to'], id, to);
  }
  for (const [id, entity] of Object.entries(conversion.entities)) {
    const path: Path = ['entities', id];
    for (const key of list(entity.to.key))
      if (!Object.hasOwn(entity.columns, key)) unmapped(context, [...path, 'to', 'key'], key, 'the key');
    if (!Object.hasOwn(entity.columns, entity.to.customer))
      unmapped(context, [...path, 'to', 'customer'], entity.to.customer, 'the customer column');
    entity.rules?.forEach((rule, index) => {
      if (rule.then === 'exclude') return;
      for (const name of Object.keys(rule.then.set)) {
        if (!Object.hasOwn(entity.columns, name))
          unmapped(context, [...path, 'rules', index, 'then', 'set', name], name, 'the column');
      }
    });
    onlyWriter(context, owners, [...path, 'to', 'table'], id, entity.to.table);
    if (entity.to.sequence && !entity.sourceSequence) {
      report(context, 'conversion', [...path, 'to', 'sequence'], {
        code: 'sequence-without-way-back',
        message: 'keys given out by the target come back, and the source’s sequence would give them out again',
        remedy: 'add `sourceSequence:` with the source’s key sequence',
      });
    }
    watchedTables(context, conversion, path, entity);
  }
  ruleIds(context, conversion);
};

function unmapped(context: CheckContext, path: Path, name: string, what: string): void {
  report(context, 'conversion', path, {
    code: 'unmapped-column',
    message: `${what} \`${name}\` is not among the columns`,
    remedy: `add \`${name}\` to \`columns\``,
  });
}

function onlyWriter(context: CheckContext, owners: Map<string, string>, path: Path, id: string, table: string): void {
  const other = owners.get(table);
  if (other)
    report(context, 'conversion', path, {
      code: 'table-written-twice',
      message: `\`${other}\` writes ${table} too`,
      remedy: 'one entity writes a table: join them',
    });
  owners.set(table, id);
}

function ruleIds(context: CheckContext, conversion: Conversion): void {
  const seen = new Set<string>();
  for (const [id, entity] of Object.entries(conversion.entities)) {
    entity.rules?.forEach((rule, index) => {
      if (seen.has(rule.id))
        report(context, 'conversion', ['entities', id, 'rules', index, 'id'], {
          code: 'duplicate-rule',
          message: `a second rule called \`${rule.id}\``,
          remedy: 'write another id',
        });
      seen.add(rule.id);
    });
  }
}

/** A change in a table the query reads, and capture does not watch, would never reach the target. */
function watchedTables(context: CheckContext, conversion: Conversion, path: Path, entity: Entity): void {
  if (!('query' in entity.from)) return;
  const watched = new Set([
    ...Object.keys(entity.from.changedBy),
    ...Object.values(conversion.reference ?? {}).map((each) => each.from),
  ]);
  const read = [...entity.from.query.matchAll(/\b(?:from|join)\s+([a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*)/gi)].map(
    (match) => String(match[1]).toLowerCase(),
  );
  for (const table of new Set(read.filter((name) => !watched.has(name)))) {
    report(context, 'conversion', [...path, 'from', 'changedBy'], {
      code: 'table-not-watched',
      message: `the query reads ${table}, and a change there would not be followed`,
      remedy: `add \`${table}: CUSTOMER_COLUMN\` to \`changedBy\``,
    });
  }
}
