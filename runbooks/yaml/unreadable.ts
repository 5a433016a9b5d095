import type { Finding } from '../finding';
import type { FindingCode } from '../finding-codes';

/** A runbook of 2,000 steps has a quarter of it. */
const MOST_CHARACTERS = 1_048_576;
/** The deepest place of a runbook is at 8. Far deeper ones end the process inside the YAML parser instead of being refused by it. */
const DEEPEST = 100;

/** What must not reach the YAML parser: it would take minutes, end the process, or keep what no database can store. */
export function unreadable(file: string, text: string): Finding[] {
  const at = (offset: number, code: FindingCode, message: string, remedy: string): Finding[] => {
    const before = text.slice(0, offset).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    return [{ file, line: before.length, column, code, message, remedy, severity: 'error' }];
  };
  if (text.length > MOST_CHARACTERS)
    return at(
      0,
      'file-too-large',
      'larger than 1 MiB',
      'give the YAML file that people wrote; data belongs in a system',
    );
  const replaced = text.indexOf('\ufffd');
  if (replaced >= 0) return at(replaced, 'not-utf8', 'bytes that are no UTF-8', 'save the file as UTF-8');
  const control = text.search(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/);
  if (control >= 0)
    return at(control, 'control-character', 'a control character', 'remove it; save the file as plain text in UTF-8');
  const deep = tooDeep(text);
  if (deep !== null)
    return at(
      deep,
      'too-deep',
      `brackets or lists more than ${DEEPEST} deep`,
      'close them, or write them out below each other',
    );
  return [];
}

/** Offset of the bracket, or of the line, that is too deep. A key at the margin begins anew: brackets in texts do not add up. */
function tooDeep(text: string): number | null {
  let depth = 0;
  for (const { 0: found, index } of text.matchAll(/^[A-Za-z]|^(?:[ ]|- ){100,}|[[{]|[\]}]/gm)) {
    if (found.length > 1) {
      if (found.length > 2 * DEEPEST) return index;
    } else if (/[A-Za-z]/.test(found)) depth = 0;
    else depth = found === '[' || found === '{' ? depth + 1 : Math.max(0, depth - 1);
    if (depth > DEEPEST) return index;
  }
  return null;
}
