import type { Context } from './context';

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
      await runtime.activities.appendLedger({ cutover: state.cutover, entries: batch });
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
