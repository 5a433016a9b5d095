import type { Path } from '../yaml/source';
import type { CheckContext, Doc } from './context';

/** An `expression` or a `query` is put into brackets inside a larger statement; a `request` takes parameters; a `statement` runs alone. */
type SqlUse = 'expression' | 'query' | 'request' | 'statement';

interface SqlText {
  doc: Doc;
  path: Path;
  use: SqlUse;
  sql: string;
  /** Without quoted texts, quoted names and comments. */
  bare: string;
  /** Part of the mapping: asked again and again, and must answer the same. */
  mapping: boolean;
}

type Add = (path: Path, use: SqlUse, sql: string | undefined) => void;

/** Every SQL text of the three documents. */
export function sqlTexts(context: CheckContext): SqlText[] {
  const texts: SqlText[] = [];
  const into =
    (doc: Doc, mapping: boolean): Add =>
    (path, use, sql) => {
      if (sql !== undefined) texts.push({ doc, path, use, sql, bare: withoutTexts(sql), mapping });
    };
  ofConversion(context, into('conversion', true));
  ofRunbook(context, into('runbook', false));
  context.plan?.waves.forEach((wave, index) =>
    into('plan', false)(['waves', index, 'where'], 'expression', wave.where),
  );
  return texts;
}

function ofConversion({ conversion }: CheckContext, add: Add): void {
  for (const [id, { columns }] of Object.entries(conversion?.reference ?? {}))
    for (const [name, sql] of Object.entries(columns)) add(['reference', id, 'columns', name], 'expression', sql);
  for (const [id, entity] of Object.entries(conversion?.entities ?? {})) {
    const path: Path = ['entities', id];
    if ('query' in entity.from) add([...path, 'from', 'query'], 'query', entity.from.query);
    else add([...path, 'from', 'where'], 'expression', entity.from.where);
    for (const [name, column] of Object.entries(entity.columns)) {
      const at: Path = [...path, 'columns', name];
      if (typeof column === 'string') add(at, 'expression', column);
      else for (const key of ['to', 'back', 'valid'] as const) add([...at, key], 'expression', column[key]);
    }
    entity.rules?.forEach((rule, index) => {
      const at: Path = [...path, 'rules', index];
      add([...at, 'when'], 'expression', rule.when);
      if (rule.then === 'exclude') return;
      for (const [name, sql] of Object.entries(rule.then.set)) add([...at, 'then', 'set', name], 'expression', sql);
    });
    add([...path, 'back', 'query'], 'query', entity.back?.query);
    add([...path, 'sent'], 'expression', entity.sent);
  }
}

function ofRunbook({ runbook, steps }: CheckContext, add: Add): void {
  const both = (path: Path, use: SqlUse, texts: Record<'source' | 'target', string>): void => {
    for (const side of ['source', 'target'] as const) add([...path, side], use, texts[side]);
  };
  runbook.success.forEach((measure, index) => {
    if ('sql' in measure) both(['success', index, 'sql'], 'query', measure.sql);
  });
  for (const [id, total] of Object.entries(runbook.totals)) both(['totals', id], 'query', total);
  for (const [id, request] of Object.entries(runbook.requests)) both(['requests', id], 'request', request);
  for (const [id, work] of Object.entries(runbook.work))
    if ('open' in work) add(['work', id, 'open'], 'expression', work.open);
  add(['population', 'active'], 'expression', runbook.population.active);
  add(['population', 'target', 'active'], 'expression', runbook.population.target.active);
  for (const { path, step } of steps) {
    if (step.kind !== 'action' || runbook.systems[step.system]?.adapter !== 'postgres') continue;
    add([...path, 'do'], 'statement', step.do);
    if (step.undo !== 'none') add([...path, 'undo'], 'statement', step.undo);
    add([...path, 'check'], 'query', step.check);
  }
}

const TEXTS = /\$([a-z_]*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//gi;

/** Read from the left, so that a dash in a text is no comment, and a quote in a comment no text. A `--` keeps its two dashes. */
function withoutTexts(sql: string): string {
  return sql.replace(TEXTS, (found) => (found.startsWith('--') ? '--' : ' '));
}
