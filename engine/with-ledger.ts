import type { Context } from './context';
import type { LedgerEntry } from './contract';

/**
 * Runs `body` while entries that pile up in `ledgerPending` are written in order, and returns only when the last is
 * written: a run never ends with an unwritten ledger.
 */
export async function withLedger<T>(context: Context, body: () => Promise<T>): Promise<T> {
  const { runtime, state } = context;
  let ended = false;
  const writer = (async () => {
    for (;;) {
      await runtime.until(() => ended || state.ledgerPending.length > 0, null);
      if (state.ledgerPending.length === 0) return;
      const batch = [...state.ledgerPending];
      await runtime.activities.appendLedger({ cutover: state.cutover, entries: distinct(batch) });
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

/**
 * `control` takes the same instant, actor, action and subject twice for a repetition. Two entries that are alike in these
 * and both true (two checks of one list in one instant) are set a millisecond apart.
 */
function distinct(entries: readonly LedgerEntry[]): LedgerEntry[] {
  const known = new Set<string>();
  return entries.map((entry) => {
    let at = entry.at;
    const key = (): string => JSON.stringify([at, entry.actor, entry.action, entry.subject]);
    while (known.has(key())) at++;
    known.add(key());
    return { ...entry, at };
  });
}
