/** What the journals say must be there, held against what both systems hold. Nothing moves or writes meanwhile. */
import type { Side } from '../../domain/custody';
import { readJournals, type Operation } from './journal';
import { BORN_ROWS, type World } from './world';

interface Row {
  id: string;
  customer: string;
  ops: string[];
  parts: { op: string; customer: string }[];
}

export interface Verdict {
  operations: Record<'done' | 'refused' | 'none' | 'unknown', number>;
  /** Empty when every promise held. */
  findings: string[];
}

/** The rows a system is answerable for: those of customers whose wave it has not given up. */
async function ownRows(world: World, side: Side): Promise<Row[]> {
  const found = await world[side].data.query<Row>(
    `select i.id, i.customer, i.ops,
       coalesce((select json_agg(json_build_object('op', p.op, 'customer', p.customer)) from app.part p where p.item = i.id), '[]') as parts
     from app.item i join cutover.wave w on w.wave = cutover.wave_of(i.customer) where w.state <> 'sealed'`,
  );
  return found.rows;
}

const times = (list: readonly string[], one: string): number => list.filter((other) => other === one).length;

const mayHaveHappened = ({ end }: Operation): boolean =>
  end === null || end.outcome === 'done' || end.outcome === 'unknown';

function checkDone(operation: Operation, row: Row | undefined, mayBeGone: boolean): string[] {
  const { op, kind, item } = operation;
  if (kind === 'delete') return row ? [`row ${item} is back after its deletion ${op} was acknowledged`] : [];
  if (!row) return mayBeGone ? [] : [`lost: row ${item} of acknowledged ${kind} ${op} is gone`];
  const seen = times(row.ops, op);
  const findings =
    seen === 1
      ? []
      : [`${seen === 0 ? 'lost' : 'doubled'}: acknowledged ${kind} ${op} is ${seen} times in row ${item}`];
  if (kind === 'insert' || kind === 'part') {
    const parts = times(
      row.parts.map((part) => part.op),
      op,
    );
    if (parts !== 1)
      findings.push(
        `${parts === 0 ? 'lost' : 'doubled'}: the part of ${kind} ${op} is ${parts} times with row ${item}`,
      );
  }
  return findings;
}

function checkRow(row: Row, operations: ReadonlyMap<string, Operation>): string[] {
  const findings: string[] = [];
  for (const op of row.ops) {
    const outcome = operations.get(op)?.end?.outcome;
    if (outcome === 'refused' || outcome === 'none')
      findings.push(`${outcome} operation ${op} took effect in row ${row.id}`);
  }
  const owner = row.ops.map((op) => operations.get(op)?.customer).findLast((customer) => customer !== undefined);
  if (owner !== undefined && owner !== row.customer) findings.push(`row ${row.id} went back to an earlier owner`);
  if (row.parts.some((part) => part.customer !== row.customer))
    findings.push(`row ${row.id} and its parts have different owners`);
  return findings;
}

/** What was acknowledged before a deletion began was in the row that it deleted. */
function checkHeld(deletion: Operation, operations: readonly Operation[]): string[] {
  const held = deletion.end?.held ?? [];
  return operations
    .filter(
      ({ op, end, at }) => op !== deletion.op && at < deletion.at && end?.outcome === 'done' && end.at < deletion.at,
    )
    .filter(({ op }) => !held.includes(op))
    .map(({ op, kind }) => `lost: acknowledged ${kind} ${op} was not in row ${deletion.item} when that was deleted`);
}

function byItem(operations: Iterable<Operation>): Map<string, Operation[]> {
  const items = new Map<string, Operation[]>();
  for (const operation of operations) {
    const list = items.get(operation.item);
    if (list) list.push(operation);
    else items.set(operation.item, [operation]);
  }
  return items;
}

export async function judge(world: World, journals: readonly string[]): Promise<Verdict> {
  const operations = readJournals(journals);
  const rows = new Map<string, Row>();
  const findings: string[] = [];
  for (const side of ['source', 'target'] as const)
    for (const row of await ownRows(world, side)) {
      if (rows.has(row.id)) findings.push(`doubled: row ${row.id} is owned in both systems`);
      rows.set(row.id, row);
    }
  const counts = { done: 0, refused: 0, none: 0, unknown: 0 };
  for (const [item, list] of byItem(operations.values())) {
    const deletions = list.filter(({ kind }) => kind === 'delete');
    const mayBeGone = deletions.some(mayHaveHappened);
    for (const operation of list) {
      const outcome = operation.end?.outcome ?? 'unknown';
      counts[outcome] += 1;
      if (outcome === 'done') findings.push(...checkDone(operation, rows.get(item), mayBeGone));
    }
    for (const deletion of deletions) if (deletion.end?.outcome === 'done') findings.push(...checkHeld(deletion, list));
  }
  const born = Array.from({ length: BORN_ROWS }, (_, n) => String(n));
  const gone = new Set(
    [...operations.values()].filter((one) => one.kind === 'delete' && mayHaveHappened(one)).map(({ item }) => item),
  );
  for (const id of born)
    if (!rows.has(id) && !gone.has(id)) findings.push(`lost: row ${id}, there from the start, is gone`);
  for (const row of rows.values()) findings.push(...checkRow(row, operations));
  return { operations: counts, findings };
}
