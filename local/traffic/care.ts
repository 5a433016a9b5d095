import type { EntityName, RowEffect } from './journal';
import { both, carried, day, found, type Operation } from './operation';

/** Removes the row the operation was chosen for. */
const removing = (entity: EntityName, where = 'true'): Operation => ({
  needs: { entity, where: both(where) },
  run: async (context) => {
    const row = found(context);
    await context.rows.remove(entity, { key: row.key });
    return [{ entity, key: row.key, act: 'delete', ...carried(row) }];
  },
});

/** Moves the row the operation was chosen for into a state. */
const stating = (entity: EntityName, where: string, state: string): Operation => ({
  needs: { entity, where: both(where) },
  run: async (context) => {
    const row = found(context);
    await context.rows.update(entity, { key: row.key }, { state, reference: context.op });
    return [{ entity, key: row.key, act: 'update', set: { state }, ...carried(row) }];
  },
});

const ticketOpen: Operation = {
  run: async (context) => {
    const key = await context.rows.nextKey('ticket');
    await context.rows.insert('ticket', {
      key,
      customer: context.customer,
      subject: context.random.pick(['No dial tone', 'Slow line', 'Wrong bill', 'Router fault']),
      severity: context.random.pick(['low', 'high']),
      state: 'open',
      created: new Date(),
      reference: context.op,
    });
    return [{ entity: 'ticket', key, act: 'insert', set: { state: 'open' } }];
  },
};

/** Another kind of order. In the new system nobody else gets orders on, so there it is done with that. */
const orderChange: Operation = {
  needs: { entity: 'order', where: both('true') },
  run: async ({ rows, random, op, row }) => {
    if (!row) return [];
    const state = rows.side === 'target' ? 'done' : (row.values['state'] ?? 'new');
    const kind = random.pick(['install', 'change', 'repair']);
    await rows.update('order', { key: row.key }, { kind, reference: op, ...(rows.side === 'target' && { state }) });
    return [{ entity: 'order', key: row.key, act: 'update', set: { kind, state }, ...carried(row) }];
  },
};

const CONTRACT_KINDS = {
  source: ['Month-to-month', 'One year', 'Two year'],
  target: ['monthly', 'one-year', 'two-year'],
} as const;

/** The running contract ends and another begins, in one transaction. */
const contractChange: Operation = {
  needs: { entity: 'contract', where: { source: "ended_on = ''", target: 'ends is null' } },
  run: async (context) => {
    const row = found(context);
    const { rows, random, customer, op } = context;
    await rows.update('contract', { key: row.key }, { ends: day(), reference: op });
    const key = await rows.nextKey('contract');
    await rows.insert('contract', {
      key,
      customer,
      kind: random.pick(CONTRACT_KINDS[rows.side]),
      product: random.pick(context.products),
      starts: day(),
      ends: rows.side === 'source' ? '' : null,
      reference: op,
    });
    return [
      { entity: 'contract', key: row.key, act: 'update', set: { state: 'ended' }, ...carried(row) },
      { entity: 'contract', key, act: 'insert', set: { state: 'running' } },
    ];
  },
};

/** Used when a customer is won: the first contract. */
export async function firstContract(context: Parameters<Operation['run']>[0]): Promise<RowEffect> {
  const key = await context.rows.nextKey('contract');
  await context.rows.insert('contract', {
    key,
    customer: context.customer,
    kind: context.random.pick(CONTRACT_KINDS[context.rows.side]),
    product: context.random.pick(context.products),
    starts: day(),
    ends: context.rows.side === 'source' ? '' : null,
    reference: context.op,
  });
  return { entity: 'contract', key, act: 'insert', set: { state: 'running' } };
}

export const CARE_OPERATIONS = {
  'ticket-open': ticketOpen,
  'ticket-close': stating('ticket', "state = 'open'", 'closed'),
  'ticket-delete': removing('ticket'),
  'order-change': orderChange,
  'order-cancel': removing('order', "state <> 'busy'"),
  'contract-change': contractChange,
  'contract-delete': removing('contract'),
} as const satisfies Record<string, Operation>;
