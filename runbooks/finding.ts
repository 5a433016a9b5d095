import type { FindingCode } from './finding-codes';

/** One thing wrong with a document: where it is, what was expected, and what to write instead. */
export interface Finding {
  file: string;
  /** From 1. */
  line: number;
  column: number;
  code: FindingCode;
  message: string;
  remedy: string;
  /** Only an `error` stops a run from starting. */
  severity: 'error' | 'warning';
}

/** `file:line:column: message; remedy [code]`, the form editors and terminals make clickable. */
export function formatFinding(finding: Finding): string {
  const { file, line, column, code, message, remedy, severity } = finding;
  return `${file}:${line}:${column}: ${severity === 'warning' ? 'warning: ' : ''}${message}; ${remedy} [${code}]`;
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error');
}

/** By file, line and column; the same finding twice is one. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const unique = new Map(findings.map((finding) => [formatFinding(finding), finding]));
  return [...unique.values()].sort(
    (a, b) =>
      a.file.localeCompare(b.file, 'en') ||
      a.line - b.line ||
      a.column - b.column ||
      a.code.localeCompare(b.code, 'en'),
  );
}
