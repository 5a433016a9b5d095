import { firstContract } from './care';
import { emailOf, phoneOf } from './contact';
import type { EntityName, RowEffect } from './journal';
import { both, carried, found, type Operation, type OperationContext } from './operation';
import { firstServices } from './services';
import type { Values } from './rows';

const active = both("status = 'active'");

const contactChange: Operation = {
  needs: { entity: 'customer', where: both('true') },
  run: async (context) => {
    const row = found(context);
    const values = { email: emailOf(context.op), phone: phoneOf(context.op), reference: context.op };
    await context.rows.update('customer', { key: row.key }, values);
    return [{ entity: 'customer', key: row.key, act: 'update', set: { contact: context.op }, ...carried(row) }];
  },
};

const METHODS = {
  source: ['Electronic check', 'Mailed check', 'Bank transfer (automatic)', 'Credit card (automatic)'],
  target: ['electronic-check', 'mailed-check', 'bank-transfer', 'credit-card'],
} as const;

/** How the customer pays and gets bills: columns of the legacy customer, a table of its own in the target. */
const billingChange: Operation = {
  needs: { entity: 'account', where: both('true') },
  run: async (context) => {
    const { rows, random, customer } = context;
    const on = random.chance(0.5);
    const method = random.int(0, METHODS.source.length - 1);
    const paperless = rows.side === 'source' ? (on ? 'Yes' : 'No') : on;
    await rows.update('account', { key: customer }, { paperless, method: METHODS[rows.side][method] ?? '' });
    return [{ entity: 'account', key: customer, act: 'update', set: { paperless: on ? 'yes' : 'no' } }];
  },
};

const departed: Operation = {
  needs: { entity: 'customer', where: active },
  run: async (context) => {
    const row = found(context);
    await context.rows.update('customer', { key: row.key }, { status: 'departed', reference: context.op });
    return [{ entity: 'customer', key: row.key, act: 'update', set: { status: 'departed' }, ...carried(row) }];
  },
};

function newCustomer(context: OperationContext): Values {
  const { rows, random, op } = context;
  const legacy = rows.side === 'source';
  const yes = (value: boolean): string | boolean => (legacy ? (value ? 'Yes' : 'No') : value);
  return {
    name: `Customer ${op}`,
    email: emailOf(op),
    phone: phoneOf(op),
    gender: random.pick(legacy ? ['Female', 'Male'] : ['female', 'male']),
    senior: legacy ? '0' : false,
    partner: yes(random.chance(0.5)),
    dependents: yes(false),
    tenure: legacy ? '0' : 0,
    status: 'active',
    monthly: '29.90',
    total: '0.00',
    opened: new Date(),
    reference: op,
  };
}

/** The customer, how they pay, what they have and what they signed, in one transaction. */
const won: Operation = {
  newCustomer: true,
  run: async (context) => {
    const { rows, customer } = context;
    if (rows.side === 'source') {
      const account = { paperless: 'Yes', method: 'Electronic check' };
      await rows.insert('customer', { key: customer, ...newCustomer(context), ...account });
    } else {
      await rows.insert('customer', { key: customer, ...newCustomer(context) });
      await rows.insert('account', { key: customer, paperless: true, method: 'electronic-check' });
    }
    const set = { contact: context.op, status: 'active' };
    const effects: RowEffect[] = [
      { entity: 'customer', key: customer, act: 'insert', set },
      { entity: 'account', key: customer, act: 'insert', set: { paperless: 'yes' } },
    ];
    return [...effects, ...(await firstServices(context)), await firstContract(context)];
  },
};

/** A customer who was won here changes their mind at once: everything about them goes. */
const withdrawn: Operation = {
  ownCustomer: true,
  needs: { entity: 'customer', where: both('true') },
  run: async (context) => {
    const { rows, customer } = context;
    const contracts = await rows.find('contract', [customer], 'true', { limit: 10, lock: true });
    for (const entity of ['contract', 'service'] as const) await removeAll(rows, entity, customer);
    if (rows.side === 'target') await removeAll(rows, 'account', customer);
    await removeAll(rows, 'customer', customer);
    const gone = (entity: EntityName, key: string): RowEffect => ({ entity, key, act: 'delete' });
    return [
      ...contracts.map((row) => ({ ...gone('contract', row.key), ...carried(row) })),
      gone('service', 'all'),
      gone('account', customer),
      { ...gone('customer', customer), ...carried(found(context)) },
    ];
  },
};

const removeAll = (rows: OperationContext['rows'], entity: EntityName, customer: string): Promise<number> =>
  rows.remove(entity, { customer });

export const CUSTOMER_OPERATIONS = {
  'contact-change': contactChange,
  'billing-change': billingChange,
  departed,
  won,
  withdrawn,
} as const satisfies Record<string, Operation>;
