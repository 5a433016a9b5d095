import { checkRunbook, RULES } from '../../../../runbooks/check';
import type { Finding } from '../../../../runbooks/finding';
import { parseDocuments, type Documents } from '../../../../runbooks/load';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from '../../fixtures/tiny';
import type { Broken } from './broken';
import { BROKEN_CONTENT } from './content';
import { BROKEN_HOURS } from './hours';
import { BROKEN_ORDER } from './order';
import { BROKEN_PEOPLE } from './people';
import { BROKEN_REFERENCES } from './references';
import { BROKEN_SHAPES } from './shapes';
import { BROKEN_TRAPS } from './traps';
import { BROKEN_WRITING } from './writing';

export const CORPUS: readonly Broken[] = [
  ...[...BROKEN_WRITING, ...BROKEN_SHAPES, ...BROKEN_REFERENCES, ...BROKEN_ORDER, ...BROKEN_HOURS],
  ...[...BROKEN_PEOPLE, ...BROKEN_CONTENT, ...BROKEN_TRAPS],
];

type Texts = Record<'runbook' | 'conversion' | 'plan', string>;

export const FILES: Texts = { runbook: 'runbook.yaml', conversion: 'conversion.yaml', plan: 'plan.yaml' };
export const TINY: Texts = { runbook: TINY_RUNBOOK, conversion: TINY_CONVERSION, plan: TINY_PLAN };
const NOW_MS = Date.parse('2026-11-22T12:00:00Z');

export const parse = (texts: Texts): Documents => parseDocuments({ ...texts, files: FILES });
export const checkParsed = (documents: Documents, rules = RULES): Finding[] => checkRunbook(documents, NOW_MS, rules);
export const check = (texts: Texts): Finding[] => checkParsed(parse(texts));

/** The tiny documents with the mistake in them. */
export function edited(broken: Broken): Texts {
  const doc = broken.doc ?? 'runbook';
  if (!TINY[doc].includes(broken.from)) throw new Error(`the edit "${broken.name}" does not match the fixture`);
  return { ...TINY, [doc]: TINY[doc].replace(broken.from, () => broken.to) };
}
