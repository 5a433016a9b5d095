import { readJournal, type Intent, type Outcome, type RowEffect } from '../traffic/journal';

/** An operation with what became of it; `open` when the journal ends before it was known. */
export interface Operation {
  op: string;
  customer: string;
  kind: string;
  via: Intent['via'];
  side: Intent['side'];
  outcome: Outcome['outcome'] | 'open';
  rows: RowEffect[];
}

export interface Operations {
  byCustomer: Map<string, Operation[]>;
  byId: Map<string, Operation>;
}

/** Reads journals; each customer's operations come in the order of their outcomes, open ones last. */
export async function readOperations(files: readonly string[]): Promise<Operations> {
  const intents = new Map<string, Intent>();
  const done: { at: number; operation: Operation }[] = [];
  for (const file of files) {
    for await (const line of readJournal(file)) {
      if (line.event === 'intent') {
        if (intents.has(line.op))
          throw new Error(`${file}: operation ${line.op} appears twice; use --name for each traffic`);
        intents.set(line.op, line);
        continue;
      }
      const intent = intents.get(line.op);
      if (!intent) throw new Error(`${file}: outcome of ${line.op} without its intent`);
      done.push({ at: line.at, operation: describe(intent, line) });
    }
  }
  const byId = new Map(done.map(({ operation }) => [operation.op, operation]));
  for (const intent of intents.values()) {
    if (byId.has(intent.op)) continue;
    const operation = describe(intent, { outcome: 'open', rows: [] });
    byId.set(intent.op, operation);
    done.push({ at: Number.MAX_SAFE_INTEGER, operation });
  }
  done.sort((a, b) => a.at - b.at);
  const byCustomer = new Map<string, Operation[]>();
  for (const { operation } of done) {
    const list = byCustomer.get(operation.customer);
    if (list) list.push(operation);
    else byCustomer.set(operation.customer, [operation]);
  }
  return { byCustomer, byId };
}

const describe = (intent: Intent, result: { outcome: Operation['outcome']; rows: RowEffect[] }): Operation => ({
  op: intent.op,
  customer: intent.customer,
  kind: intent.kind,
  via: intent.via,
  side: intent.side,
  outcome: result.outcome,
  rows: result.rows,
});
