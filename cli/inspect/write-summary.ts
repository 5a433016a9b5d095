import type { Cli } from '../cli';
import { colorsOf } from '../cli';
import { table } from '../show/format';
import type { Draft } from './draft';
import type { Ownership } from './owners';
import { keyText, type Trouble } from './troubles';

const rowsText = (rows: number | null): string => (rows === null ? '?' : String(rows));

/** What `inspect` found, to read. Names and numbers only. */
export function summaryText(cli: Cli, draft: Draft, troubles: readonly Trouble[]): string {
  const bold = colorsOf(cli).bold;
  const { source, target } = draft.databases;
  const { population } = draft;
  const views = [
    ...source.views.map((view) => ({ side: 'source', ...view })),
    ...target.views.map((view) => ({ side: 'target', ...view })),
  ];
  const sections: [string, string][] = [
    [
      'Databases',
      `source PostgreSQL ${source.version}, ${source.tables.length} tables; target PostgreSQL ${target.version}, ${target.tables.length} tables`,
    ],
    [
      'Customers',
      `${population.from} (${population.key}) → ${population.target.from} (${population.target.key})${alternatives(draft)}`,
    ],
    ['Reference tables, copied first', pairRows(cli, draft, 'references')],
    ['Entities, parents first', pairRows(cli, draft, 'entities')],
    [
      'Left out',
      table(
        cli,
        ['table', 'rows', 'why', 'what to do'],
        draft.leftOut.map(({ source: from, target: to, rows, why, remedy }) => [
          [from, to].filter(Boolean).join(' → '),
          rowsText(rows),
          why,
          remedy,
        ]),
      ),
    ],
    [
      'Circles at the source',
      draft.circles.source.map((key) => `${key.table}: ${key.name} ${keyText(key)}`).join('\n'),
    ],
    [
      'Views',
      table(
        cli,
        ['', 'view', 'reads'],
        views.map(({ side, kind, name, reads }) => [`${side} ${kind}`, name, reads.join(', ')]),
      ),
    ],
    [
      'Sequences that number no column by themselves',
      [
        ...source.looseSequences.map((name) => `source ${name}`),
        ...target.looseSequences.map((name) => `target ${name}`),
      ].join('\n'),
    ],
    [
      'Trouble',
      table(
        cli,
        ['', 'where', 'what', 'what to do'],
        troubles.map(({ side, where, what, remedy }) => [side, where, what, remedy]),
      ),
    ],
  ];
  return sections
    .filter(([, text]) => text !== '')
    .map(([title, text]) => `${bold(title)}\n${text}`)
    .join('\n\n');
}

const alternatives = (draft: Draft): string => {
  const { source, target } = draft.owners;
  const others = [
    ...source.alternatives.map((name) => `source ${name}`),
    ...target.alternatives.map((name) => `target ${name}`),
  ];
  return others.length === 0
    ? ''
    : `\nother tables that could be: ${others.join(', ')} (--customers, --target-customers)`;
};

function pairRows(cli: Cli, draft: Draft, kind: 'references' | 'entities'): string {
  return table(
    cli,
    ['', 'source', 'rows', 'key', 'customer', 'target', 'key', 'columns', 'to decide'],
    draft[kind].map((pair) => [
      pair.id,
      pair.source.name,
      rowsText(pair.source.rows),
      pair.source.primaryKey.join(', ') || 'none',
      ownerText(draft.owners.source.of.get(pair.source.name)),
      pair.target.name,
      pair.target.primaryKey.join(', '),
      `${pair.columns.length} of ${pair.target.columns.length}`,
      [...pair.missing, ...pair.unsure].join(', '),
    ]),
  );
}

function ownerText(owner: Ownership | undefined): string {
  switch (owner?.kind) {
    case 'customers':
      return 'itself';
    case 'column':
      return owner.column;
    case 'path':
      return `through ${owner.path.map(({ key }) => key.parent).join(', ')}`;
    case 'nobody':
    case undefined:
      return 'nobody';
  }
}
