import type { Side } from '../../domain/custody';
import type { Draft } from './draft';
import type { Ownership } from './owners';
import { keyText } from './troubles';

type Path = Extract<Ownership, { kind: 'path' }>;

const conditions = (left: string, own: readonly string[], right: string, other: readonly string[]): string =>
  own.map((name, at) => `${left}.${name} = ${right}.${other[at]}`).join(' and ');

/**
 * A column for the customer on a table that reaches it through a parent, filled now and kept filled: when a row is written,
 * and when its parent changes hands.
 */
function ownerColumn(draft: Draft, side: Side, name: string, owner: Path): string {
  const { key } = owner.path[0]!;
  const parent = draft.owners[side].of.get(key.parent);
  const from = parent && parent.kind !== 'nobody' ? parent.column : draft.owners[side].key;
  const [schema, bare] = name.split('.') as [string, string];
  const same = (row: string): string => conditions('p', key.parentColumns, row, key.columns);
  return `-- ${name}: whose a row is, is known through ${owner.path.map((step) => step.key.parent).join(', then ')}.
alter table ${name} add column ${owner.column} ${draft.owners[side].type};
update ${name} t set ${owner.column} = p.${from} from ${key.parent} p where ${same('t')};
create index on ${name} (${owner.column});
create function ${schema}.cutover_owner_of_${bare}() returns trigger language plpgsql as $$
begin
  new.${owner.column} := coalesce((select p.${from} from ${key.parent} p where ${same('new')}), new.${owner.column});
  return new;
end $$;
create trigger cutover_owner before insert or update on ${name}
  for each row execute function ${schema}.cutover_owner_of_${bare}();
create function ${schema}.cutover_hand_on_${bare}() returns trigger language plpgsql as $$
begin
  update ${name} t set ${owner.column} = new.${from} where ${conditions('t', key.columns, 'new', key.parentColumns)};
  return null;
end $$;
create trigger cutover_hand_on_${bare} after update of ${from} on ${key.parent}
  for each row when (old.${from} is distinct from new.${from}) execute function ${schema}.cutover_hand_on_${bare}();
`;
}

/** SQL that a side needs before the conversion fits it; empty when it needs none. To be run by the tables' owner. */
export function preparation(draft: Draft, side: Side): string {
  const owned = draft.entities
    .map((entity) => ({ name: entity[side].name, owner: draft.owners[side].of.get(entity[side].name) }))
    .flatMap(({ name, owner }) => (owner?.kind === 'path' ? [{ name, owner }] : []))
    .sort((left, right) => left.owner.path.length - right.owner.path.length)
    .map(({ name, owner }) => ownerColumn(draft, side, name, owner));
  const circles =
    side === 'source'
      ? []
      : draft.circles.target.map(
          (key) => `-- ${key.table}: it holds again when the last wave is in. Then, without stopping anybody:
--   alter table ${key.table} add constraint ${key.name} ${keyText(key)} not valid;
--   alter table ${key.table} validate constraint ${key.name};
alter table ${key.table} drop constraint ${key.name};
`,
        );
  return [...owned, ...circles].join('\n');
}
