import type { z } from 'zod';
import type { Finding } from '../finding';
import type { FindingCode } from '../finding-codes';
import { childValue, knownKeys } from './known-keys';
import { suggest } from './nearest';
import { nodeAt, placeOf, placeOfKey, type Path, type YamlSource } from './source';
import { cutByComma } from './traps';

const COMMA = 'a comma inside { } ends a value: put quotes around the text';

/** Turns what zod found into findings that stand where the mistake was written. */
export function schemaFindings(
  source: YamlSource,
  schema: z.core.$ZodType,
  value: unknown,
  error: z.core.$ZodError,
): Finding[] {
  return error.issues.flatMap((issue) => explainIssue({ source, schema, root: value }, issue, []));
}

interface Context {
  source: YamlSource;
  schema: z.core.$ZodType;
  root: unknown;
}

type Issue = z.core.$ZodIssue;

function explainIssue(context: Context, issue: Issue, base: Path): Finding[] {
  const path: Path = [...base, ...(issue.path as (string | number)[])];
  const value = path.reduce<unknown>((data, part) => childValue(data, part), context.root);
  const name = nameOf(path);
  const at = (code: FindingCode, message: string, remedy: string): Finding[] => [
    { ...placeOf(context.source, path), code, message, remedy, severity: 'error' },
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(context, path, value, key));
    case 'invalid_key': {
      const place = placeOfKey(context.source, path);
      const cut = cutByComma(nodeAt(context.source, path.slice(0, -1)), name);
      const expected = issue.issues[0]?.message ?? 'another name';
      const remedy = cut ? COMMA : `write another name: ${expected}`;
      return [
        {
          ...place,
          code: cut ? 'yaml-comma' : 'bad-key',
          message: `\`${name}\` cannot stand here as a name`,
          remedy,
          severity: 'error',
        },
      ];
    }
    case 'invalid_union':
      return explainUnion(context, issue, path, value, name);
    case 'invalid_value':
      if (value === undefined)
        return at('missing-key', `\`${name}\` is missing`, `add \`${name}:\` with one of ${issue.values.join(', ')}`);
      return at('bad-value', `${name}: ${describe(value)}`, suggest(String(value), issue.values.map(String)));
    case 'invalid_type':
      return invalidType(context, issue.expected, path, value, name);
    case 'invalid_format':
      return at(
        'bad-format',
        `${name}: ${describe(value)} does not have the expected form`,
        `write ${formatHint(issue)}`,
      );
    case 'too_small':
      return at(
        'too-small',
        `${name}: ${describe(value)} is too small`,
        `at least ${issue.minimum} ${counted(issue.origin)}`.trimEnd(),
      );
    case 'too_big':
      return at(
        'too-big',
        `${name}: ${describe(value)} is too big`,
        `at most ${issue.maximum} ${counted(issue.origin)}`.trimEnd(),
      );
    case 'custom':
    case 'invalid_element':
    case 'not_multiple_of':
      return at('bad-value', `${name}: ${issue.message}`, 'see the schema in runbooks/schema/json');
  }
}

/** An item of a list is called as its list. */
function nameOf(path: Path): string {
  return String(path.findLast((part) => typeof part === 'string') ?? 'the document');
}

function unknownKey(context: Context, path: Path, value: unknown, key: string): Finding {
  const place = placeOfKey(context.source, [...path, key]);
  if (cutByComma(nodeAt(context.source, path), key)) {
    return {
      ...place,
      code: 'yaml-comma',
      message: `\`${key}\` was read as a key without a value`,
      remedy: COMMA,
      severity: 'error',
    };
  }
  const known = knownKeys(context.schema, path, context.root);
  const unused = known.filter((candidate) => childValue(value, candidate) === undefined);
  return {
    ...place,
    code: 'unknown-key',
    message: `unknown key \`${key}\``,
    remedy: suggest(key, unused.length > 0 ? unused : known),
    severity: 'error',
  };
}

function explainUnion(
  context: Context,
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  value: unknown,
  name: string,
): Finding[] {
  if (issue.errors.length === 0) {
    const options = (issue as { options?: unknown[] }).options?.map(String) ?? [];
    const found = value === undefined ? `\`${name}\` is missing` : `${name}: ${describe(value)} is not known`;
    const place = placeOf(context.source, path);
    return [
      {
        ...place,
        code: value === undefined ? 'missing-key' : 'bad-value',
        message: found,
        remedy: suggest(String(value ?? ''), options),
        severity: 'error',
      },
    ];
  }
  const branch = [...issue.errors].sort((a, b) => unlikeliness(a) - unlikeliness(b))[0] ?? [];
  return branch.flatMap((inner) => explainIssue(context, inner, path));
}

/** The alternative the author meant is the one with the fewest wrong or missing keys; a wrong type at the top is last. */
function unlikeliness(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.path.length === 0 && issue.code !== 'unrecognized_keys') return sum + 100;
    return sum + (issue.code === 'unrecognized_keys' ? 3 * issue.keys.length : issue.code === 'invalid_value' ? 1 : 2);
  }, 0);
}

const ID_KEYS = new Set([
  'id',
  'owner',
  'go',
  'phase',
  'window',
  'system',
  'runbook',
  'plan',
  'closedBy',
  'deputyOf',
  'pointOfNoReturn',
  'rollbackIn',
]);
const ID_LISTS = new Set(['needs', 'votes', 'at', 'accept', 'signedBy', 'to', 'work', 'totals', 'roles', 'after']);

function invalidType(context: Context, expected: string, path: Path, value: unknown, name: string): Finding[] {
  const place = placeOf(context.source, path);
  const finding = (code: FindingCode, message: string, remedy: string): Finding[] => [
    { ...place, code, message, remedy, severity: 'error' },
  ];
  if (value === undefined)
    return finding('missing-key', `\`${name}\` is missing`, `add \`${name}:\` with ${article(expected)}`);
  if (value === null && cutByComma(nodeAt(context.source, path.slice(0, -1)), name)) {
    return finding('yaml-comma', `\`${name}\` was read as a key without a value`, COMMA);
  }
  if (value === null && path.length === 0)
    return finding('empty-value', 'there is nothing in the document', 'write it, or give another file');
  if (value === null)
    return finding('empty-value', `\`${name}\` has no value`, `write ${article(expected)}, or remove the key`);
  const isId = ID_KEYS.has(name) || (typeof path.at(-1) === 'number' && ID_LISTS.has(String(path.at(-2))));
  if (expected === 'string' && isId && typeof value !== 'object') {
    return finding(
      'number-as-id',
      `${name}: ${describe(value)} is not a name`,
      'write an id that starts with a letter, such as `w1`',
    );
  }
  if (expected === 'string' && typeof value !== 'object') {
    return finding(
      'wrong-type',
      `${name}: ${describe(value)} is not a text`,
      `put quotes around it: '${String(value)}'`,
    );
  }
  return finding(
    'wrong-type',
    `${name}: expected ${article(expected)}, found ${describe(value)}`,
    `write ${article(expected)}`,
  );
}

function article(expected: string): string {
  const names: Record<string, string> = {
    string: 'a text',
    array: 'a list such as [a, b]',
    object: 'a map',
    record: 'a map',
    int: 'a whole number',
    number: 'a number',
  };
  return names[expected] ?? `a ${expected}`;
}

function counted(origin: string): string {
  return origin === 'array' ? 'items' : origin === 'string' ? 'characters' : '';
}

function formatHint(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  if (issue.format === 'datetime') return 'an instant with its offset, such as 2026-11-28T22:00:00+01:00';
  return issue.message;
}

/** A short, single-line rendering; a text that may hold a secret is not repeated. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = String(value);
  if (text.includes('://')) return 'a URL';
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return typeof value === 'string' ? `\`${short.replace(/\s+/g, ' ')}\`` : `the ${typeof value} ${short}`;
}
