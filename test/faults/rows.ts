import type { Stage } from '../e2e/support/stage';

/** The tiny systems' rows at one moment; few enough to compare in memory, by code that shares nothing with the product. */
export interface Rows {
  customers: Map<string, { label: string; vip: string }>;
  notes: Map<string, { customer: string; body: string; done: boolean }>;
  clients: Map<string, { title: string; important: boolean }>;
  memos: Map<string, { client_code: string; words: string; done: boolean }>;
}

export async function readRows(stage: Stage): Promise<Rows> {
  const read = async <R>(database: 'source' | 'target', sql: string): Promise<Map<string, R>> => {
    const rows = await stage.query<R & { key: string }>(stage.urlOf(database), sql);
    return new Map(rows.map(({ key, ...row }) => [key, row as R]));
  };
  const [customers, notes, clients, memos] = await Promise.all([
    read<{ label: string; vip: string }>('source', 'select id as key, label, vip from tiny.customer'),
    read<{ customer: string; body: string; done: boolean }>(
      'source',
      'select id::text as key, customer, body, done from tiny.note',
    ),
    read<{ title: string; important: boolean }>('target', 'select code as key, title, important from shop.client'),
    read<{ client_code: string; words: string; done: boolean }>(
      'target',
      'select memo_no::text as key, client_code, words, done from shop.memo',
    ),
  ]);
  return { customers, notes, clients, memos };
}

/** What came into being at the target, by those who write there. */
const BORN_THERE = /^(op-\d+-t|req-\d+)$/;

/** The target against the mapping of the source: what is missing or too much, and what differs. */
export function compareMoved({ customers, notes, clients, memos }: Rows): { counted: string[]; differing: string[] } {
  const counted = [
    ...missing('client', customers, clients),
    ...missing('memo', notes, memos),
    ...missing('customer', clients, customers),
    ...[...memos]
      .filter(([key, { words }]) => !notes.has(key) && !BORN_THERE.test(words))
      .map(([key]) => `memo ${key} is of no note`),
  ];
  const differing = [
    ...[...customers].flatMap(([key, { label, vip }]) => {
      const client = clients.get(key);
      const same = !client || (client.title === label.trim() && client.important === (vip === 'y'));
      return same ? [] : [`client ${key} is not what customer ${key} is`];
    }),
    ...[...notes].flatMap(([key, note]) => {
      const memo = memos.get(key);
      const same = !memo || (memo.client_code === note.customer && memo.words === note.body && memo.done === note.done);
      return same ? [] : [`memo ${key} is not what note ${key} is`];
    }),
  ];
  return { counted, differing };
}

const missing = (what: string, from: ReadonlyMap<string, unknown>, there: ReadonlyMap<string, unknown>): string[] =>
  [...from.keys()].filter((key) => !there.has(key)).map((key) => `${what} ${key} is missing`);

const WRITERS_LABEL = /^label \d+$/;

/** The source against what it was before: nobody is gone, and what no writer touched is as it was. */
export function compareReturned(before: Rows, now: Rows): { counted: string[]; differing: string[] } {
  return {
    counted: [
      ...missing('customer', before.customers, now.customers),
      ...missing('customer of before', now.customers, before.customers),
    ],
    differing: [
      ...missing('note', before.notes, now.notes),
      ...[...before.customers].flatMap(([key, was]) => {
        const is = now.customers.get(key);
        const untouched = !is || (is.vip === was.vip && (is.label === was.label || WRITERS_LABEL.test(is.label)));
        return untouched ? [] : [`customer ${key} changed, and no one changed it`];
      }),
      ...[...before.notes].flatMap(([key, was]) => {
        const is = now.notes.get(key);
        return !is || JSON.stringify(is) === JSON.stringify(was) ? [] : [`note ${key} changed, and no one changed it`];
      }),
    ],
  };
}
