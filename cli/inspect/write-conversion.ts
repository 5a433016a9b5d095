import type { ColumnDraft } from './expressions';
import type { Draft, EntityDraft, PairDraft } from './draft';

/** Words YAML, or a reader of YAML, could take for something else than text. */
const TRICKY = /^(true|false|null|yes|no|on|off|y|n|~|[-+.0-9].*)$/i;
const WIDEST = 120;

const quote = (text: string): string =>
  text.includes("'") && !/["\\]/.test(text) ? `"${text}"` : `'${text.replaceAll("'", "''")}'`;
const scalar = (text: string): string =>
  /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text) && !TRICKY.test(text) ? text : quote(text);
const keys = (names: readonly string[]): string =>
  names.length === 1 ? scalar(names[0]!) : `[${names.map(scalar).join(', ')}]`;

/** A comment over as many lines as it needs. */
function comment(indent: string, text: string): string[] {
  const lines: string[] = [];
  for (const word of text.trimStart().split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 1 <= WIDEST) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}# ${lines.length > 0 ? '  ' : ''}${word}`);
  }
  return lines;
}

/** The drafted conversion.yaml. Comments that begin with DECIDE ask a person. */
export function conversionText(draft: Draft): string {
  const { population } = draft;
  const lines = [
    ...comment(
      '',
      `Drafted by \`cutover inspect\`. Customers: ${population.from} (${population.key}) become ${population.target.from} (${population.target.key}).`,
    ),
    '# `to` is SQL over the source row, `back` over the target row; `valid` keeps a customer out whose row it does not hold for.',
    '# Lines that say DECIDE wait for a person; `cutover check --live` tells what does not fit the databases yet.',
    '',
  ];
  if (draft.references.length > 0)
    lines.push('reference: # belongs to no customer; copied first', ...draft.references.flatMap(reference), '');
  lines.push('entities:', ...draft.entities.flatMap((entity) => [...entityLines(entity), '']));
  const left = draft.leftOut.filter((each) => each.source !== undefined);
  if (left.length > 0) lines.push('# Left out of this draft. DECIDE for each whether it may be left behind:');
  for (const each of left) lines.push(...comment('', `${each.source}: ${each.why}; ${each.remedy}`));
  return `${lines.join('\n').trimEnd()}\n`;
}

function reference(draft: PairDraft): string[] {
  return [
    `  ${scalar(draft.id)}:`,
    `    from: ${draft.source.name}`,
    `    to: ${draft.target.name}`,
    `    key: ${keys(draft.target.primaryKey)}`,
    '    owner: source',
    '    columns:',
    ...draft.columns.flatMap((column) => [
      ...(column.note === undefined ? [] : comment('      ', column.note)),
      `      ${scalar(column.target)}: ${scalar(column.to)}`,
    ]),
    ...questions('      ', draft),
  ];
}

function entityLines(entity: EntityDraft): string[] {
  const { source, target } = entity;
  const to = [`table: ${target.name}`, `key: ${keys(target.primaryKey)}`, `customer: ${scalar(entity.targetCustomer)}`];
  if (entity.sequence !== null) to.push(`sequence: { name: ${entity.sequence}, startAbove: 1000000 }`);
  const residue = entity.columns.filter(({ back }) => back === undefined).map(({ target: name }) => name);
  return [
    `  ${scalar(entity.id)}:`,
    `    from: { table: ${source.name}, key: ${keys(source.primaryKey)}, customer: ${scalar(entity.sourceCustomer)} }`,
    ...flow('    ', 'to', to),
    ...(entity.after.length > 0 ? [`    after: [${entity.after.map(scalar).join(', ')}]`] : []),
    ...(entity.sourceSequence === null ? [] : [`    sourceSequence: ${entity.sourceSequence}`]),
    ...(residue.length > 0 ? [`    residue: [${residue.join(', ')}]`] : []),
    '    columns:',
    ...entity.columns.flatMap(columnLines),
    ...questions('      ', entity),
  ];
}

function columnLines({ target, to, back, into, valid, note }: ColumnDraft): string[] {
  const parts = Object.entries({ to, back, into, valid }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${scalar(value)}`],
  );
  return [...(note === undefined ? [] : comment('      ', note)), ...flow('      ', scalar(target), parts)];
}

/** A map on one line, or on several where one would be too wide. */
function flow(indent: string, key: string, parts: readonly string[]): string[] {
  const line = `${indent}${key}: { ${parts.join(', ')} }`;
  return line.length <= WIDEST ? [line] : [`${indent}${key}:`, ...parts.map((part) => `${indent}  ${part}`)];
}

function questions(indent: string, { missing, idle, unsure, source, target, columns }: PairDraft): string[] {
  const lines: string[] = [];
  for (const name of missing)
    lines.push(
      ...comment(
        indent,
        `DECIDE ${name}: it must have a value and nothing of ${source.name} is like it; write a line for it`,
      ),
    );
  if (unsure.length > 0) lines.push(...comment(indent, `DECIDE whether these belong together: ${unsure.join('; ')}`));
  if (idle.source.length > 0)
    lines.push(
      ...comment(indent, `DECIDE whether these of ${source.name} may be left behind: ${idle.source.join(', ')}`),
    );
  if (idle.target.length > 0)
    lines.push(...comment(indent, `without a counterpart in ${target.name}: ${idle.target.join(', ')}`));
  const mapped = new Set(columns.map((column) => column.target));
  for (const { definition, columns: named } of target.checks)
    if (named.some((name) => mapped.has(name)))
      lines.push(
        ...comment(
          indent,
          `DECIDE whether every row meets what the target demands: ${definition.replaceAll(/\s+/g, ' ')}`,
        ),
      );
  return lines;
}
