import { isAlias, isMap, isPair, isScalar, isSeq, visit, type Node } from 'yaml';
import type { Finding } from '../finding';
import type { FindingCode } from '../finding-codes';
import { placeAt, type YamlSource } from './source';

/** A file that is no YAML at all has as many errors as lines: the first ones say so, without pages of what is in it. */
const MOST_ERRORS = 20;
const LONGEST_QUOTE = 160;

/** What YAML itself refuses, in words that say what to write instead. */
export function syntaxFindings(source: YamlSource): Finding[] {
  return source.document.errors.slice(0, MOST_ERRORS).map((error) => {
    const place = placeAt(source, error.pos[0]);
    const line = source.text.split('\n')[place.line - 1] ?? '';
    const [code, message, remedy] = explain(error.code, error.message, line);
    return { ...place, code, message, remedy, severity: 'error' as const };
  });
}

function explain(code: string, message: string, line: string): [FindingCode, string, string] {
  if (line.includes('{{'))
    return ['yaml-braces', '`{{` starts a YAML map, not a text', 'put quotes around the whole value'];
  const first = (message.split('\n')[0] ?? message).replace(/[.:]\s*$/, '');
  switch (code) {
    case 'TAB_AS_INDENT':
      return ['yaml-tab', 'a tab in the indentation', 'indent with spaces'];
    case 'DUPLICATE_KEY':
      return ['yaml-duplicate-key', 'the same key twice in one map: the second would silently win', 'keep one of them'];
    case 'MULTIPLE_DOCS':
      return ['yaml-documents', 'more than one document in the file', 'remove the `---` line'];
    case 'BLOCK_AS_IMPLICIT_KEY':
      return ['yaml-syntax', 'a second `: ` in one value', 'put quotes around the value, or indent it below its key'];
    default:
      return [
        'yaml-syntax',
        `not readable as YAML: ${first.slice(0, LONGEST_QUOTE)}`,
        'check quotes, brackets and the indentation of this line',
      ];
  }
}

/** What YAML accepts and a reader would misread. */
export function trapFindings(source: YamlSource): Finding[] {
  const findings: Finding[] = [];
  const add = (node: Node, code: FindingCode, message: string, remedy: string): void => {
    if (findings.length < MOST_ERRORS)
      findings.push({ ...placeAt(source, node.range?.[0] ?? 0), code, message, remedy, severity: 'error' });
  };
  visit(source.document, {
    Node(_, node) {
      if (isAlias(node))
        add(node, 'yaml-alias', 'an alias (`*name`): the reader must look elsewhere', 'write the value out');
      else if (node.anchor) add(node, 'yaml-anchor', 'an anchor (`&name`)', 'write the value out at each place');
      if (node.tag && /:(?!seq|map|str|int|float|bool|null)[^:]+$/.test(node.tag) && !isAlias(node)) {
        add(node, 'yaml-tag', 'a YAML tag', 'write a plain value');
      }
    },
    Pair(_, pair) {
      const key = pair.key as Node;
      if (isMap(key))
        add(key, 'yaml-braces', 'unquoted `{{ }}` is a map inside a map', 'put quotes around the whole value');
      else if (isSeq(key))
        add(key, 'bad-key', 'a list where a name belongs', 'write a name, or quotes around the text');
      else if (isScalar(key) && key.value === '<<') add(key, 'yaml-merge', 'a merge key (`<<`)', 'write the keys out');
    },
  });
  if (/^%YAML\s+1\.1/m.test(source.text)) {
    findings.push({
      ...placeAt(source, source.text.search(/^%YAML/m)),
      code: 'yaml-version',
      message: 'YAML 1.1 reads NO, off and 12:30 as something else than text',
      remedy: 'remove the `%YAML 1.1` line',
      severity: 'error',
    });
  }
  return findings;
}

/** True when the comma in `{ key: text, more }` cut a value short: `more` is then a key without a value. */
export function cutByComma(parent: Node | undefined, key: string): boolean {
  if (!isMap(parent) || parent.flow !== true) return false;
  return parent.items.some(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key && item.value === null,
  );
}
