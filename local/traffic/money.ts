import { centsOf, decimal } from './contact';
import type { RowEffect } from './journal';
import { both, carried, day, found, type Operation, type OperationContext } from './operation';

const lineKey = (invoice: string, line: number): string => `${invoice}/${line}`;

/** A line number as the side keeps it: text in the legacy system. */
const lineNo = (context: OperationContext, line: number): string | number =>
  context.rows.side === 'source' ? String(line) : line;

async function pay(
  context: OperationContext,
  cents: number,
  kind: 'debit' | 'transfer' | 'reversal',
  invoice: string | null,
): Promise<RowEffect> {
  const key = await context.rows.nextKey('payment');
  await context.rows.insert('payment', {
    key,
    customer: context.customer,
    invoice,
    amount: decimal(cents),
    kind,
    booked: new Date(),
    reference: context.op,
  });
  return { entity: 'payment', key, act: 'insert', cents };
}

const payment: Operation = {
  run: async (context) => [
    await pay(context, context.random.int(100, 20_000), context.random.pick(['debit', 'transfer'] as const), null),
  ],
};

const reversal: Operation = {
  needs: { entity: 'payment', where: both("kind <> 'reversal'") },
  run: async (context) => {
    const { values } = found(context);
    return [await pay(context, -centsOf(values['amount'] ?? ''), 'reversal', values['invoice'] ?? null)];
  },
};

/** Two tables in one transaction: the invoice is paid and the payment is booked. */
const settle: Operation = {
  needs: { entity: 'invoice', where: both("state = 'open'") },
  run: async (context) => {
    const row = found(context);
    const cents = centsOf(row.values['amount'] ?? '');
    await context.rows.update('invoice', { key: row.key }, { state: 'paid', reference: context.op });
    const booked = await pay(context, cents, 'debit', row.key);
    return [{ entity: 'invoice', key: row.key, act: 'update', cents, set: { state: 'paid' }, ...carried(row) }, booked];
  },
};

const allocate: Operation = {
  needs: { entity: 'payment', where: both('invoice_no is null') },
  run: async (context) => {
    const row = found(context);
    const invoices = await context.rows.find('invoice', [context.customer], "state <> 'written-off'", {
      limit: 1,
      lock: true,
    });
    const invoice = invoices[0];
    if (!invoice) return [];
    await context.rows.update('payment', { key: row.key }, { invoice: invoice.key, reference: context.op });
    const cents = centsOf(row.values['amount'] ?? '');
    return [{ entity: 'payment', key: row.key, act: 'update', cents, set: { invoice: invoice.key }, ...carried(row) }];
  },
};

const paymentDelete: Operation = {
  needs: { entity: 'payment', where: both("kind = 'transfer' and invoice_no is null") },
  run: async (context) => {
    const row = found(context);
    await context.rows.remove('payment', { key: row.key });
    return [{ entity: 'payment', key: row.key, act: 'delete', ...carried(row) }];
  },
};

const bill: Operation = {
  run: async (context) => {
    const amounts = Array.from({ length: context.random.int(1, 4) }, () => context.random.int(50, 9_000));
    const key = await context.rows.nextKey('invoice');
    const cents = amounts.reduce((sum, amount) => sum + amount, 0);
    const { customer, op: reference } = context;
    const head = { amount: decimal(cents), issued: day(), due: day(14), state: 'open', mailed: null, reference };
    await context.rows.insert('invoice', { key, customer, ...head });
    const effects: RowEffect[] = [{ entity: 'invoice', key, act: 'insert', cents, set: { state: 'open' } }];
    for (const [index, amount] of amounts.entries()) {
      const line = index + 1;
      const values = { line: lineNo(context, line), text: `usage ${line}`, amount: decimal(amount), reference };
      await context.rows.insert('invoice-line', { key, customer, ...values });
      effects.push({ entity: 'invoice-line', key: lineKey(key, line), act: 'insert', cents: amount });
    }
    return effects;
  },
};

const unpaidBy = (key: string): string =>
  `state = 'open' and mailed_at is null and not exists (select from ${key} p where p.invoice_no = invoice.invoice_no)`;
const UNSENT = {
  entity: 'invoice' as const,
  where: { source: unpaidBy('legacy.payment'), target: unpaidBy('billing.payment') },
};

/** One line turns out cheaper or dearer; the invoice follows it. */
const billCorrect: Operation = {
  needs: UNSENT,
  run: async (context) => {
    const invoice = found(context);
    const options = { limit: 1, lock: true, key: invoice.key };
    const line = (await context.rows.find('invoice-line', [context.customer], 'true', options))[0];
    if (!line) return [];
    const change = context.random.int(-40, 400);
    const lineCents = centsOf(line.values['amount'] ?? '') + change;
    const cents = centsOf(invoice.values['amount'] ?? '') + change;
    const number = Number(line.values['line']);
    const at = { key: invoice.key, line: lineNo(context, number) };
    await context.rows.update('invoice-line', at, { amount: decimal(lineCents), reference: context.op });
    await context.rows.update('invoice', { key: invoice.key }, { amount: decimal(cents), reference: context.op });
    return [
      { entity: 'invoice-line', key: lineKey(invoice.key, number), act: 'update', cents: lineCents, ...carried(line) },
      { entity: 'invoice', key: invoice.key, act: 'update', cents, ...carried(invoice) },
    ];
  },
};

const billMail: Operation = {
  needs: { entity: 'invoice', where: both('mailed_at is null') },
  run: async (context) => {
    const row = found(context);
    await context.rows.update('invoice', { key: row.key }, { mailed: new Date(), reference: context.op });
    const cents = centsOf(row.values['amount'] ?? '');
    return [{ entity: 'invoice', key: row.key, act: 'update', cents, set: { mailed: 'yes' }, ...carried(row) }];
  },
};

const billDelete: Operation = {
  needs: UNSENT,
  run: async (context) => {
    const invoice = found(context);
    const lines = await context.rows.find('invoice-line', [context.customer], 'true', {
      limit: 100,
      lock: true,
      key: invoice.key,
    });
    await context.rows.remove('invoice-line', { key: invoice.key });
    await context.rows.remove('invoice', { key: invoice.key });
    const gone = lines.map((line): RowEffect => ({
      entity: 'invoice-line',
      key: lineKey(invoice.key, Number(line.values['line'])),
      act: 'delete',
      ...carried(line),
    }));
    return [...gone, { entity: 'invoice', key: invoice.key, act: 'delete', ...carried(invoice) }];
  },
};

export const MONEY_OPERATIONS = {
  payment,
  reversal,
  settle,
  'payment-allocate': allocate,
  'payment-delete': paymentDelete,
  bill,
  'bill-correct': billCorrect,
  'bill-mail': billMail,
  'bill-delete': billDelete,
} as const satisfies Record<string, Operation>;
