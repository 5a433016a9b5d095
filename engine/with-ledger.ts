import type { Context } from './context';
import type { LedgerEntry } from './contract';

/**
 * Runs `body` while entries that pile up in `ledgerPending` are written in order, and returns only when the last is
 * written: a run never ends with an unwritten ledger.
 */
export async function withLedger<T>(context: Context, body: () => Promise<T>): Promise<T> {
  const { runtime, state } = context;
  let ended = false;
  let last: string[] = [];
  const writer = (async () => {
    for (;;) {
      await runtime.until(() => ended || state.ledgerPending.length > 0, null);
      if (state.ledgerPending.length === 0) return;
      const batch = [...state.ledgerPending];
      const entries = distinct(batch, last);
      last = entries.map(keyOf);
      await runtime.activities.appendLedger({ cutover: state.cutover, entries });
      state.ledgerPending.splice(0, batch.length);
    }
  })();
  try {
    return await body();
  } finally {
    ended = true;
    await writer;
  }
}

const keyOf = ({ at, actor, action, subject }: LedgerEntry): string => JSON.stringify([at, actor, action, subject]);

/**
 * `control` takes the same instant, actor, action and subject twice for a repetition. Two entries that are alike in these
 * and both true (two checks of one list in one instant) are set a millisecond apart; `before` are the keys written last.
 */
function distinct(entries: readonly LedgerEntry[], before: readonly string[]): LedgerEntry[] {
  const known = new Set(before);
  return entries.map((entry) => {
    const own = { ...entry };
    while (known.has(keyOf(own))) own.at++;
    known.add(keyOf(own));
    return own;
  });
}
