import { isPair, isScalar, visit, type Node } from 'yaml';
import { placeAt, type Path } from '../yaml/source';
import { report, type CheckContext, type Doc, type Rule } from './context';

const SECRETS: readonly RegExp[] = [
  /:\/\/[^\s/:@]*:[^\s/@]+@/,
  /\b(password|passwd|pwd|secret|api[_-]?key|access[_-]?token|token)\s*[=:]\s*[^\s$'"{]{3,}/i,
  /[?&](key|token|sig|secret)=[^\s&]{6,}/i,
  /\bBearer\s+[A-Za-z0-9._-]{12,}/,
];

const PROSE_KEYS = new Set([
  'title',
  'text',
  'note',
  'mitigation',
  'name',
  'why',
  'items',
  'source',
  'moving',
  'target',
  'to',
  'do',
  'undo',
  'check',
]);
const PLACEHOLDER = /\b(TODO|TBD|FIXME|XXX|CHANGEME)\b|\{\{[^}]*\}\}|\blorem ipsum\b/i;
const ANGLES = /^<[^<>]+>$|\s<[a-z][a-z -]*>(\s|$)/i;

function eachText(context: CheckContext, look: (doc: Doc, node: Node, text: string, key: string) => void): void {
  for (const doc of ['runbook', 'conversion', 'plan'] as const) {
    const source = context.sources[doc];
    if (!source) continue;
    visit(source.document, {
      Scalar(position, node, ancestors) {
        if (position === 'key' || typeof node.value !== 'string') return;
        const pair = [...ancestors].reverse().find((ancestor) => isPair(ancestor));
        const key = isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : '';
        look(doc, node, node.value, key);
      },
    });
  }
}

/** Secrets come from the environment; a document is stored, hashed and shown. The secret is not repeated here. */
export const secrets: Rule = (context) => {
  eachText(context, (doc, node, text) => {
    if (!SECRETS.some((pattern) => pattern.test(text))) return;
    const source = context.sources[doc];
    if (!source) return;
    context.findings.push({
      ...placeAt(source, node.range?.[0] ?? 0),
      code: 'secret',
      message: 'this looks like a password or a token',
      remedy: 'remove it and change it where it is used; name an environment variable with `urlEnv` instead',
      severity: 'error',
    });
  });
};

/** Text that was to be filled in. */
export const placeholders: Rule = (context) => {
  eachText(context, (doc, node, text, key) => {
    const source = context.sources[doc];
    if (!source || !PROSE_KEYS.has(key) || !(PLACEHOLDER.test(text) || ANGLES.test(text))) return;
    context.findings.push({
      ...placeAt(source, node.range?.[0] ?? 0),
      code: 'placeholder',
      message: 'a placeholder that was never filled in',
      remedy: 'write the text people will read that night',
      severity: 'error',
    });
  });
};

/** SQL of requests reads $1 (payload) and $2 (customer); the customer binds the effect to the wave it is guarded by. */
export const requestParameters: Rule = (context) => {
  for (const [id, request] of Object.entries(context.runbook.requests)) {
    for (const side of ['source', 'target'] as const) {
      const used = new Set([...request[side].matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
      const path: Path = ['requests', id, side];
      if (!used.has(2)) {
        report(context, 'runbook', path, {
          code: 'request-without-customer',
          message: `the statement does not use the customer`,
          remedy: 'write $2 where the customer belongs',
        });
      }
      const beyond = [...used].find((number) => number > 2 || number < 1);
      if (beyond !== undefined) {
        report(context, 'runbook', path, {
          code: 'unknown-parameter',
          message: `there is no parameter $${beyond}`,
          remedy: 'use $1 (payload) and $2 (customer)',
        });
      }
    }
  }
};
