import { readFileSync, writeFileSync } from 'node:fs';
import { holds, type Line } from './measure';

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

const shown = (value: number, unit: Line['unit']): string => {
  const digits = unit === 'x' ? 2 : unit === 'ms' || unit === '%' ? 1 : 0;
  return `${value.toFixed(digits)}${unit === 'x' ? ' ×' : ` ${unit}`}`;
};

const barOf = ({ bar, unit }: Line): string =>
  bar === null ? '—' : 'atMost' in bar ? `≤ ${shown(bar.atMost, unit)}` : `≥ ${shown(bar.atLeast, unit)}`;

const verdict = (line: Line): string => {
  const held = holds(line);
  if (held !== null) return held ? 'met' : '**missed**';
  return line.value === null ? 'not measured' : '—';
};

function row(line: Line): string {
  const { scenario, what, figures, value, unit, spread } = line;
  const range = spread === undefined ? '' : ` (${shown(spread[0], unit)} … ${shown(spread[1], unit)})`;
  const measured = value === null ? '—' : `${shown(value, unit)}${range}`;
  return `| ${[scenario, what, measured, barOf(line), verdict(line), figures].join(' | ')} |`;
}

/** The lines as a Markdown table. */
export const tableOf = (lines: readonly Line[]): string =>
  [
    '| scenario | what | measured (lowest … highest round) | bar | | figures |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines.map(row),
  ].join('\n');

/** Puts the table between the two marks of a document. Throws when it has no marks. */
export function keepTable(file: string, heading: string, lines: readonly Line[]): void {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for the table: write ${BEGIN} and ${END}`);
  const body = `${BEGIN}\n\n${heading}\n\n${tableOf(lines)}\n\n`;
  writeFileSync(file, text.slice(0, from) + body + text.slice(to));
}
