import { ExpectedCustomer } from '../../../local/audit/expected';
import { OwnerComparison } from '../../../local/audit/comparing';
import { Findings, type FindingCode } from '../../../local/audit/findings';
import type { Operation } from '../../../local/audit/operations';
import type { AuditRow } from '../../../local/audit/reading';
import type { CustomerBaseline } from '../../../local/audit/snapshot';
import type { RowEffect } from '../../../local/traffic/journal';

const operation = (
  op: string,
  outcome: Operation['outcome'],
  rows: RowEffect[],
  via: Operation['via'] = 'direct',
): Operation => ({
  op,
  customer: 'C1',
  kind: via === 'request' ? 'request-contact-change' : 'bill',
  via,
  side: 'source',
  outcome,
  rows,
});
const row = (of: Partial<AuditRow> & Pick<AuditRow, 'entity' | 'key'>): AuditRow => ({
  customer: 'C1',
  cents: null,
  reference: null,
  set: {},
  ...of,
});
const customer = (contact: string): AuditRow =>
  row({ entity: 'customer', key: 'C1', set: { contact, status: 'active' } });
const BASELINE: CustomerBaseline = {
  customer: 'C1',
  rows: [['customer', 'C1', null, { contact: 'old', status: 'active' }, null]],
  digests: [],
};

/** What is found when the operations were journalled and the system holds these rows. */
function found(operations: Operation[], rows: AuditRow[], control: Record<string, string> = {}): FindingCode[] {
  const findings = new Findings();
  const expected = new ExpectedCustomer(
    'C1',
    BASELINE as ConstructorParameters<typeof ExpectedCustomer>[1],
    operations,
  );
  const around = {
    findings,
    operations: { byId: new Map(operations.map((each) => [each.op, each])), byCustomer: new Map() },
    states: {
      control: new Map(Object.entries(control)),
      effects: { source: new Map(Object.keys(control).map((key) => [key, 'C1'])), target: new Map<string, string>() },
    },
  };
  new OwnerComparison(expected, rows, 'source', around).run();
  return findings.list().map((finding) => finding.code);
}

const bill: RowEffect[] = [
  { entity: 'invoice', key: '7', act: 'insert', cents: 300, set: { state: 'open' } },
  { entity: 'invoice-line', key: '7/1', act: 'insert', cents: 300 },
];
const invoice = row({ entity: 'invoice', key: '7', cents: 300, reference: 'op-1-1', set: { state: 'open' } });
const line = row({ entity: 'invoice-line', key: '7/1', cents: 300, reference: 'op-1-1' });

test('an operation with a lost answer may have happened or not, but wholly', () => {
  const unknown = [operation('op-1-1', 'unknown', bill)];
  expect(found(unknown, [customer('old'), invoice, line])).toEqual([]);
  expect(found(unknown, [customer('old')])).toEqual([]);
  expect(found(unknown, [customer('old'), line])).toEqual(['unknown-torn']);
});

test('a deletion with a lost answer may have happened or not', () => {
  const operations = [
    operation('op-1-1', 'acknowledged', bill),
    operation(
      'op-1-2',
      'unknown',
      bill.map((each) => ({ entity: each.entity, key: each.key, act: 'delete' as const })),
    ),
  ];
  expect(found(operations, [customer('old'), invoice, line])).toEqual([]);
  expect(found(operations, [customer('old')])).toEqual([]);
});

test('only the last acknowledged value must stand', () => {
  const change = (op: string): Operation =>
    operation(op, 'acknowledged', [{ entity: 'customer', key: 'C1', act: 'update', set: { contact: op } }]);
  const operations = [change('op-1-1'), change('op-1-2')];
  expect(found(operations, [customer('op-1-2')])).toEqual([]);
  expect(found(operations, [customer('op-1-1')])).toEqual(['change-lost']);
  expect(found(operations, [customer('old')])).toEqual(['change-lost']);
});

test('a held change stands after its release, whatever was acknowledged before it', () => {
  const contact = (op: string): RowEffect[] => [{ entity: 'customer', key: '', act: 'update', set: { contact: op } }];
  const direct = operation('op-1-1', 'acknowledged', [{ ...contact('op-1-1')[0]!, key: 'C1' }]);
  const held = operation('op-1-2', 'held', contact('op-1-2'), 'request');
  expect(found([direct, held], [customer('op-1-2')], { 'op-1-2': 'effected' })).toEqual([]);
  expect(found([direct, held], [customer('op-1-1')], { 'op-1-2': 'effected' })).toEqual(['change-lost']);
  expect(found([held, direct], [customer('op-1-1')], { 'op-1-2': 'effected' })).toEqual([]);
});

test('a lost change that an acknowledged one overwrote leaves nothing open', () => {
  const set = (op: string, outcome: Operation['outcome'], state: string): Operation =>
    operation(op, outcome, [{ entity: 'invoice', key: '7', act: 'update', cents: 300, set: { state } }]);
  const operations = [operation('op-1-1', 'acknowledged', bill), set('op-1-2', 'unknown', 'paid')];
  const paid = { ...invoice, reference: 'op-1-2', set: { state: 'paid' } };
  expect(found(operations, [customer('old'), paid, line])).toEqual([]);
  expect(found(operations, [customer('old'), invoice, line])).toEqual([]);
  const settled = [...operations, set('op-1-3', 'acknowledged', 'written-off')];
  expect(found(settled, [customer('old'), paid, line])).toContain('change-lost');
});

test('a request’s row that a change with a lost answer may have left as it was is the same row', () => {
  const asked = operation('op-1-1', 'acknowledged', [{ entity: 'ticket', key: '', act: 'insert' }], 'request');
  const change = operation('op-1-2', 'unknown', [
    { entity: 'ticket', key: '9', act: 'update', was: 'op-1-1', set: { state: 'closed' } },
  ]);
  const ticket = (key: string): AuditRow => row({ entity: 'ticket', key, reference: 'op-1-1', set: { state: 'open' } });
  const effected = { 'op-1-1': 'effected' };
  expect(found([asked, change], [customer('old'), ticket('9')], effected)).toEqual([]);
  expect(found([asked, change], [customer('old'), ticket('9'), ticket('10')], effected)).toContain('request-twice');
});
