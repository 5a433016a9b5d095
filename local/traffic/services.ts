import type { RowEffect } from './journal';
import { both, type Operation, type OperationContext } from './operation';

/** Services a customer can switch on and off alone, with the legacy flag that holds each. */
const FLAGS = {
  'online-security': 'online_security',
  'online-backup': 'online_backup',
  'device-protection': 'device_protection',
  'tech-support': 'tech_support',
  'streaming-tv': 'streaming_tv',
  'streaming-movies': 'streaming_movies',
} as const;
type Flag = keyof typeof FLAGS;
const PRODUCTS = Object.keys(FLAGS) as Flag[];

const switched = (product: string, on: boolean): RowEffect => ({
  entity: 'service',
  key: product,
  act: on ? 'insert' : 'delete',
});

async function legacyFlag(context: OperationContext, product: Flag): Promise<RowEffect[]> {
  const { client } = context.rows;
  const column = FLAGS[product];
  const result = await client.query<{ flag: string }>(
    `select ${column} as flag from legacy.service where customer_id = $1 for update`,
    [context.customer],
  );
  const row = result.rows[0];
  if (!row) return legacyNewRow(context, product);
  const on = row.flag !== 'Yes';
  await client.query(`update legacy.service set ${column} = $2 where customer_id = $1`, [
    context.customer,
    on ? 'Yes' : 'No',
  ]);
  return [switched(product, on)];
}

async function legacyNewRow(context: OperationContext, product: Flag): Promise<RowEffect[]> {
  await context.rows.client.query(
    `insert into legacy.service (customer_id, phone, multiple_lines, internet, ${FLAGS[product]}) values ($1, 'Yes', 'No', 'DSL', 'Yes')`,
    [context.customer],
  );
  return [switched('phone', true), switched('internet', true), switched(product, true)];
}

async function targetRow(context: OperationContext, product: string): Promise<RowEffect[]> {
  const { client } = context.rows;
  const removed = await client.query('delete from oss.service where customer_no = $1 and product_code = $2', [
    context.customer,
    product,
  ]);
  if (removed.rowCount === 1) return [switched(product, false)];
  await context.rows.insert('service', { key: context.customer, product, detail: '' });
  return [switched(product, true)];
}

/** One service is switched on or off: a flag in the legacy row, a row of its own in the target. */
const serviceChange: Operation = {
  run: (context) => {
    const product = context.random.pick(PRODUCTS);
    return context.rows.side === 'source' ? legacyFlag(context, product) : targetRow(context, product);
  },
};

/** More or fewer lines: an update on both sides. */
const linesChange: Operation = {
  needs: { entity: 'service', where: { source: "phone = 'Yes'", target: "product_code = 'phone'" } },
  run: async (context) => {
    const sql =
      context.rows.side === 'source'
        ? `update legacy.service set multiple_lines = case multiple_lines when 'Yes' then 'No' else 'Yes' end
           where customer_id = $1 and phone = 'Yes' returning case multiple_lines when 'Yes' then 'multiple' else 'single' end as lines`
        : `update oss.service set detail = case detail when 'multiple' then 'single' else 'multiple' end
           where customer_no = $1 and product_code = 'phone' returning detail as lines`;
    const result = await context.rows.client.query<{ lines: string }>(sql, [context.customer]);
    const row = result.rows[0];
    return row ? [{ entity: 'service', key: 'phone', act: 'update', set: { detail: row.lines } }] : [];
  },
};

/** Every service ends: the legacy row goes, in the target each of its rows. */
const serviceRemove: Operation = {
  needs: { entity: 'service', where: both('true') },
  run: async (context) => {
    const sql =
      context.rows.side === 'source'
        ? `delete from legacy.service where customer_id = $1 returning 'all' as product`
        : `delete from oss.service where customer_no = $1 returning product_code as product`;
    const result = await context.rows.client.query<{ product: string }>(sql, [context.customer]);
    return (result.rowCount ?? 0) > 0 ? [{ entity: 'service', key: 'all', act: 'delete' }] : [];
  },
};

/** Used when a customer is won: a telephone line and DSL. */
export async function firstServices(context: OperationContext): Promise<RowEffect[]> {
  const { rows, customer } = context;
  if (rows.side === 'source') {
    await rows.client.query(
      `insert into legacy.service (customer_id, phone, multiple_lines, internet, online_security, online_backup,
         device_protection, tech_support, streaming_tv, streaming_movies)
       values ($1, 'Yes', 'No', 'DSL', 'No', 'No', 'No', 'No', 'No', 'No')`,
      [customer],
    );
  } else {
    await rows.insert('service', { key: customer, product: 'phone', detail: 'single' });
    await rows.insert('service', { key: customer, product: 'internet', detail: 'dsl' });
  }
  return [switched('phone', true), switched('internet', true)];
}

export const SERVICE_OPERATIONS = {
  'service-change': serviceChange,
  'lines-change': linesChange,
  'service-remove': serviceRemove,
} as const satisfies Record<string, Operation>;
