/** Every kind of mistake `cutover check` can name. Editors and scripts rely on them: rename none. Grouped, not one on each line. */
// prettier-ignore
export const FINDING_CODES = [
  // What was written is no document, or not this one
  'missing-file', 'file-too-large', 'not-utf8', 'control-character', 'too-deep', 'yaml-alias', 'yaml-anchor',
  'yaml-braces', 'yaml-comma', 'yaml-documents', 'yaml-duplicate-key', 'yaml-merge', 'yaml-syntax', 'yaml-tab',
  'yaml-tag', 'yaml-version', 'bad-format', 'bad-key', 'bad-value', 'empty-value', 'missing-key', 'number-as-id',
  'too-big', 'too-small', 'unknown-key', 'wrong-type',
  // Names that mean nothing, or two things
  'unknown-role', 'unknown-system', 'unknown-window', 'unknown-work', 'unknown-total', 'unknown-gate',
  'unknown-measure', 'unknown-step', 'unknown-entity', 'unknown-person', 'unknown-column', 'unknown-parameter',
  'need-outside-phase', 'other-runbook', 'window-step-without-window', 'duplicate-step', 'duplicate-phase',
  'duplicate-measure', 'duplicate-risk', 'duplicate-rule', 'duplicate-person', 'duplicate-wave', 'listed-twice',
  'reserved-id', 'reserved-variable',
  // The order of a night
  'cycle', 'no-switch', 'second-of-its-kind', 'wave-step-outside-waves', 'hypercare-before-switch',
  'switch-without-freeze', 'switch-without-drain', 'switch-without-convert', 'switch-without-verify',
  'switch-without-gate', 'convert-before-freeze', 'convert-without-preload', 'catch-up-without-preload',
  'verify-before-convert', 'verify-without-preload', 'drain-after-freeze', 'drain-before-intake',
  'freeze-without-intake', 'intake-without-release', 'release-without-intake', 'release-before-switch',
  'early-point-of-no-return', 'work-not-drained', 'total-not-compared',
  // Hours
  'no-window', 'no-go', 'other-window-while-frozen', 'window-never-opens', 'window-too-short', 'frozen-longer-than-window',
  'deadline-longer-than-window', 'held-shorter-than-frozen', 'lease-longer-than-freeze', 'no-time',
  'planned-frozen-too-long', 'unknown-time-zone', 'unknown-country', 'bad-date', 'blackout-reversed',
  'daylight-saving', 'offset-of-another-zone', 'openings-overlap', 'pace-in-real-plan',
  // People
  'role-nobody-holds', 'gate-cannot-pass', 'gate-needs-starter', 'own-votes-impossible',
  // Measures, systems, actions
  'measure-without-threshold', 'measure-with-two-thresholds', 'missing-system', 'same-database',
  'population-elsewhere', 'wrong-adapter', 'bad-action', 'secret', 'placeholder',
  // The conversion
  'entity-without-back', 'column-without-back', 'key-without-back', 'back-without-into', 'back-not-from-target',
  'key-as-residue', 'sent-without-back', 'unmapped-column', 'table-written-twice', 'sequence-without-way-back', 'table-not-watched',
  'nothing-to-move', 'population-not-moved', 'wave-without-where', 'where-on-last-wave', 'request-without-customer',
  // SQL
  'sql-unbalanced', 'sql-comment', 'sql-semicolon', 'sql-quotes', 'sql-writes', 'not-repeatable',
] as const;

export type FindingCode = (typeof FINDING_CODES)[number];
