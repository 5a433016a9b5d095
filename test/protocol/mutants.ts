/** The compiled product with one rule of PROTOCOL.md broken: the test must see each of them. */
import type { Mutant } from '../support/mutants';

export const RULES = ['1', '7', '8', '11', '14'] as const;
export type Rule = (typeof RULES)[number];

export const isRule = (text: string): text is Rule => (RULES as readonly string[]).includes(text);

/** By the rule that each breaks. */
export const MUTANTS: Record<Rule, Mutant> = {
  // Writers with an old snapshot are no longer refused.
  '1': {
    file: 'systems/postgres/sql/guarding.js',
    text: 'from cutover.wave w where w.wave = at_lock for share;',
    instead: 'from cutover.wave w where w.wave = at_lock;',
  },
  // A pass deletes a row although it belongs to another wave by now.
  '7': {
    file: 'systems/postgres/data/merge.js',
    text: "and not exists (select from ${(0, exports.heldTable)(at)} h where ${(0, names_1.sameKey)((0, exports.heldColumns)(entity), 'h', 't')})",
    instead: '',
  },
  // The seal trusts that everything was applied.
  '8': {
    file: 'systems/postgres/sql/custody.js',
    text: 'if left_rows > 0 then',
    instead: 'if false then',
  },
  // A lapsed lease is revived.
  '11': {
    file: 'systems/postgres/sql/custody.js',
    text: "if w.lease_until <= at_clock then\n    return jsonb_build_object('outcome', 'lapsed');\n  end if;\n  if w.lease_until >=",
    instead: 'if w.lease_until >=',
  },
  // A wave that nobody owns is resolved by looking alone.
  '14': {
    file: 'systems/postgres/resolve.js',
    text: 'const raised = await other.raise(wave, epoch);',
    instead: "const raised = { outcome: 'done' };",
  },
};
