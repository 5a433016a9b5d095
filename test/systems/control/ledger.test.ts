import type { Pool } from 'pg';
import { append, type LedgerLine } from '../../../systems/control/ledger';
import { eraseValues, read, verifyChain } from '../../../systems/control/ledger-read';
import { controlDatabase } from './control-database';

let control: Pool;
beforeAll(async () => {
  control = await controlDatabase('ledger');
});
afterAll(() => control.end());

const line = (i: number): LedgerLine => ({
  at: 1_790_000_000_000 + i,
  actor: 'lea',
  action: 'vote',
  subject: `gate-${i}`,
  detail: { decision: 'go', rows: 1e21, half: 0.1, none: null, reason: `because of Ada ${i}` },
});

test('entries are read back in order with their texts, and the chain is whole', async () => {
  await append(control, 'whole', [line(1), line(2)]);
  const { entries, head } = await append(control, 'whole', [line(3)]);
  expect(entries).toBe(3);
  expect(await verifyChain(control, 'whole')).toEqual({ entries: 3, head });
  expect(
    (await read(control, 'whole')).map(({ n, at, actor, action, subject, detail }) => ({
      n,
      at,
      actor,
      action,
      subject,
      detail,
    })),
  ).toEqual([1, 2, 3].map((i) => ({ n: i, ...line(i) })));
  expect(await verifyChain(control, 'never written')).toEqual({ entries: 0, head: '0'.repeat(64) });
});

test('the same entry twice is one entry, and writers at once leave one unbroken chain', async () => {
  await Promise.all(Array.from({ length: 12 }, (_, i) => append(control, 'many', [line(i), line(i + 1), line(0)])));
  const check = await verifyChain(control, 'many');
  expect(check.entries).toBe(13);
  expect(check.brokenAt).toBeUndefined();
});

test('a typed text lies outside the chain, not guessable from its digest, and can be erased without breaking it', async () => {
  await append(control, 'erase', [line(1), line(2)]);
  const { rows } = await control.query<{ text: string }>(
    `select string_agg(l::text, ' ') as text from control.ledger l where cutover = 'erase'`,
  );
  expect(rows[0]?.text).not.toContain('Ada');
  expect(rows[0]?.text).toContain('sha256:');
  expect(await eraseValues(control, 'erase', [1])).toBe(1);
  expect((await verifyChain(control, 'erase')).brokenAt).toBeUndefined();
  expect((await read(control, 'erase')).map((each) => each.detail['reason'])).toEqual([null, 'because of Ada 2']);
});

test('text PostgreSQL cannot store is replaced and does not stop the ledger', async () => {
  await append(control, 'odd', [{ ...line(1), subject: 'a\0b\uD800', detail: { reason: 'x\0' } }]);
  expect((await verifyChain(control, 'odd')).brokenAt).toBeUndefined();
  expect((await read(control, 'odd'))[0]?.subject).toBe('a\uFFFDb\uFFFD');
});

const TAMPERINGS: [string, string, number][] = [
  ['the time', `update control.ledger set at = at + 1 where cutover = $1 and n = 2`, 2],
  ['the actor', `update control.ledger set actor = 'bob' where cutover = $1 and n = 2`, 2],
  ['the action', `update control.ledger set action = 'veto' where cutover = $1 and n = 2`, 2],
  ['the subject', `update control.ledger set subject = 'gate-9' where cutover = $1 and n = 2`, 2],
  ['a detail', `update control.ledger set detail = detail || '{"decision":"no-go"}' where cutover = $1 and n = 2`, 2],
  ['the hash', `update control.ledger set hash = repeat('a', 64) where cutover = $1 and n = 3`, 3],
  [
    'a typed text',
    `update control.ledger_value set value = 'other' where 'sha256:' || digest =
       (select detail ->> 'reason' from control.ledger where cutover = $1 and n = 2)`,
    2,
  ],
  ['a deleted entry', `delete from control.ledger where cutover = $1 and n = 2`, 2],
  [
    'a deleted entry with the rest renumbered',
    `delete from control.ledger where cutover = $1 and n = 2;
     update control.ledger set n = 2 where cutover = $1 and n = 3;
     update control.ledger set n = 3 where cutover = $1 and n = 4`,
    2,
  ],
  ['a deleted last entry', `delete from control.ledger where cutover = $1 and n = 4`, 4],
  [
    'an added entry',
    `insert into control.ledger select cutover, 5, at + 9, actor, action, subject, detail, hash from control.ledger where cutover = $1 and n = 4`,
    5,
  ],
];

test.each(TAMPERINGS)('%s shows in the chain', async (name, statement, brokenAt) => {
  const cutover = `tamper ${name}`;
  await append(control, cutover, [line(1), line(2), line(3), line(4)]);
  for (const each of statement.split(';')) await control.query(each, [cutover]);
  expect((await verifyChain(control, cutover)).brokenAt).toBe(brokenAt);
});

test('two entries that changed places show in the chain', async () => {
  await append(control, 'reorder', [line(1), line(2), line(3)]);
  for (const [from, to] of [
    [2, 99],
    [3, 2],
    [99, 3],
  ]) {
    await control.query('update control.ledger set n = $2 where cutover = $1 and n = $3', ['reorder', to, from]);
  }
  expect((await verifyChain(control, 'reorder')).brokenAt).toBe(2);
});

test('a chain rebuilt as a whole does not lead to the head that was noted elsewhere', async () => {
  const { head } = await append(control, 'rebuilt', [line(1), line(2)]);
  expect((await verifyChain(control, 'rebuilt', head)).brokenAt).toBeUndefined();
  await append(control, 'rebuilt', [line(3)]);
  expect((await verifyChain(control, 'rebuilt', head)).brokenAt).toBeUndefined();
  await control.query(`delete from control.ledger where cutover = 'rebuilt'`);
  await control.query(`delete from control.ledger_head where cutover = 'rebuilt'`);
  await append(control, 'rebuilt', [line(1)]);
  expect((await verifyChain(control, 'rebuilt')).brokenAt).toBeUndefined();
  expect((await verifyChain(control, 'rebuilt', head)).brokenAt).toBe(2);
});
