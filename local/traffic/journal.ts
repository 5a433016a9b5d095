import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { SIDES } from '../../domain/custody';

/** The things traffic writes, by the name the business has for them; each system keeps them in tables of its own. */
export const ENTITIES = [
  'customer',
  'account',
  'service',
  'contract',
  'invoice',
  'invoice-line',
  'payment',
  'order',
  'ticket',
] as const;
export type EntityName = (typeof ENTITIES)[number];

/** Custody of the customer as the gateway told it last, before the operation was sent. */
const SEEN_CUSTODIES = ['source', 'moving', 'target'] as const;
export type SeenCustody = (typeof SEEN_CUSTODIES)[number];

/**
 * One row an operation writes. `cents` is the row's amount afterwards; `was` the reference the row carried before;
 * `set` states and flags it has afterwards (never personal). A request does not know its key: there `key` is ''.
 */
const rowEffect = z.strictObject({
  entity: z.enum(ENTITIES),
  key: z.string(),
  act: z.enum(['insert', 'update', 'delete']),
  cents: z.int().optional(),
  was: z.string().optional(),
  set: z.record(z.string(), z.string()).optional(),
});
export type RowEffect = z.output<typeof rowEffect>;

const intent = z.strictObject({
  event: z.literal('intent'),
  at: z.number(),
  op: z.string(),
  via: z.enum(['direct', 'request']),
  side: z.enum(SIDES),
  customer: z.string(),
  kind: z.string(),
  custody: z.enum(SEEN_CUSTODIES),
});

/**
 * `acknowledged`: the system said it is done. `held`: the gateway accepted it and will do it later. `refused`: it must
 * not have happened. `unknown`: the answer was lost; it happened wholly or not at all.
 */
const outcome = z.strictObject({
  event: z.literal('outcome'),
  at: z.number(),
  op: z.string(),
  outcome: z.enum(['acknowledged', 'held', 'refused', 'unknown']),
  code: z.string().optional().describe('SQLSTATE or HTTP status of a refusal'),
  rows: z.array(rowEffect),
});

const line = z.discriminatedUnion('event', [intent, outcome]);
export type Intent = z.output<typeof intent>;
export type Outcome = z.output<typeof outcome>;
export type JournalLine = z.output<typeof line>;

/** Appends lines to a journal file; a line is handed to the operating system before `write` resolves. */
export class Journal {
  private readonly stream: WriteStream;

  constructor(file: string) {
    this.stream = createWriteStream(file, { flags: 'a' });
  }

  write(entry: JournalLine): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stream.write(`${JSON.stringify(entry)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stream.once('error', reject);
      this.stream.end(() => resolve());
    });
  }
}

/**
 * The lines of a journal in the order written. A last line that a killed process left unfinished is dropped; any other
 * broken line is an error that names its number.
 */
export async function* readJournal(file: string): AsyncGenerator<JournalLine> {
  const reader = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let number = 0;
  let broken: number | undefined;
  for await (const text of reader) {
    number += 1;
    if (text === '') continue;
    if (broken !== undefined) throw new Error(`${file}:${broken}: not a journal line`);
    const parsed = parseLine(text);
    if (parsed) yield parsed;
    else broken = number;
  }
}

function parseLine(text: string): JournalLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = line.safeParse(value);
  return result.success ? result.data : undefined;
}
