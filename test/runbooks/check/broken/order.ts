import type { Broken } from './broken';

const FREEZE = '      - { kind: freeze, planned: PT1M, go: lead }\n';
const CONVERT = '      - { kind: convert, planned: PT5M, go: lead }\n';
const VERIFY = '      - { id: compare-frozen, kind: verify, totals: [spent], planned: PT4M }\n';
const DRAIN = '      - { kind: drain, work: [orders], planned: PT10M, go: lead }\n';
const INTAKE = '      - { kind: intake, go: lead }\n';
const RELEASE = '      - { kind: release, go: lead, planned: PT5M }\n';

export const BROKEN_ORDER: Broken[] = [
  {
    name: 'two steps of one id',
    from: 'id: smoke',
    to: 'id: debits',
    codes: ['duplicate-step'],
    line: 'id: debits, kind: checklist',
  },
  {
    name: 'a gate called like a step',
    from: 'gate: { id: ready',
    to: 'gate: { id: scope',
    codes: ['duplicate-step'],
    line: 'gate: { id: scope',
  },
  {
    name: 'two phases of one id',
    from: 'phase: live',
    to: 'phase: "night"',
    codes: ['duplicate-phase'],
    line: 'phase: "night"',
  },
  { name: 'a reserved id', from: 'id: smoke', to: 'id: rollback', codes: ['reserved-id'], line: 'id: rollback' },
  {
    name: 'steps that wait for each other',
    from: CONVERT,
    to: CONVERT.replace('convert,', 'convert, needs: [compare-frozen],'),
    codes: ['convert-before-freeze', 'cycle'],
    line: 'kind: convert',
  },
  {
    name: 'a step that waits for itself',
    from: 'needs: [freeze]',
    to: 'needs: [debits]',
    codes: ['cycle'],
    line: 'needs: [debits]',
  },
  {
    name: 'entities that wait for each other',
    doc: 'conversion',
    from: 'customer: customer_no }\n    columns:\n      customer_no: { to: customer_id, back: customer_no }\n      senior',
    to: 'customer: customer_no }\n    after: [purchase]\n    columns:\n      customer_no: { to: customer_id, back: customer_no }\n      senior',
    codes: ['cycle'],
    line: 'after: [purchase]',
  },
  {
    name: 'no freeze',
    from: FREEZE,
    to: '',
    codes: ['convert-before-freeze', 'unknown-step', 'switch-without-freeze'],
    line: 'kind: convert',
  },
  { name: 'no drain', from: DRAIN, to: '', codes: ['work-not-drained', 'switch-without-drain'], line: '  orders: {' },
  {
    name: 'no convert',
    from: CONVERT,
    to: '',
    codes: ['verify-before-convert', 'switch-without-convert'],
    line: 'id: compare-frozen',
  },
  {
    name: 'no frozen verification',
    from: VERIFY,
    to: '',
    codes: ['total-not-compared', 'switch-without-verify'],
    line: '  spent:',
  },
  {
    name: 'a verification that is only live',
    from: 'kind: verify, totals',
    to: 'kind: verify, scope: live, totals',
    codes: ['switch-without-verify'],
    line: 'kind: switch',
  },
  {
    name: 'no gate before the switch',
    from: '    gate: { id: final, votes: [ops, vendor], deadline: PT15M, onNoGo: rollBack }\n',
    to: '',
    codes: ['unknown-gate', 'unknown-gate', 'switch-without-gate'],
    line: 'id: disturbed',
  },
  {
    name: 'converting before the freeze',
    from: FREEZE + CONVERT,
    to: CONVERT + FREEZE,
    codes: ['convert-before-freeze'],
    line: 'kind: convert',
  },
  {
    name: 'draining a frozen source',
    from: DRAIN + FREEZE,
    to: FREEZE + DRAIN,
    codes: ['drain-after-freeze'],
    line: 'kind: drain',
  },
  {
    name: 'no preload',
    from: '      - { kind: preload, planned: PT1H }\n',
    to: '',
    codes: ['catch-up-without-preload', 'verify-without-preload', 'convert-without-preload'],
    line: 'kind: catchUp',
  },
  {
    name: 'verifying a frozen side before converting',
    from: CONVERT + VERIFY,
    to: VERIFY + CONVERT,
    codes: ['verify-before-convert'],
    line: 'id: compare-frozen',
  },
  { name: 'holding work for ever', from: RELEASE, to: '', codes: ['intake-without-release'], line: 'kind: intake' },
  {
    name: 'releasing work never held',
    from: INTAKE,
    to: '',
    codes: ['freeze-without-intake', 'release-without-intake'],
    line: 'kind: freeze',
  },
  {
    name: 'releasing work before the switch',
    from: INTAKE,
    to: INTAKE + RELEASE,
    codes: ['release-before-switch', 'second-of-its-kind', 'duplicate-step'],
    line: 'kind: release',
  },
  {
    name: 'freezing outside a wave',
    from: '      - { id: scope, kind',
    to: '      - { id: early, kind: drain, work: [orders] }\n      - { id: scope, kind',
    codes: ['wave-step-outside-waves'],
    line: 'id: early',
  },
  {
    name: 'hypercare of nothing',
    from: '      - { id: scope, kind',
    to: '      - { id: early, kind: hypercare, atLeast: P1D }\n      - { id: scope, kind',
    codes: ['hypercare-before-switch'],
    line: 'id: early',
  },
  {
    name: 'a point of no return before the switch',
    from: 'pointOfNoReturn: accept',
    to: 'pointOfNoReturn: final',
    codes: ['early-point-of-no-return'],
    line: 'pointOfNoReturn',
  },
];
