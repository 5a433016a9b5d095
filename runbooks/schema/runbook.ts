import { z } from 'zod';
import { columnName, duration, envName, id, sql, tableName } from './common';
import { phaseSchema, totalSchema } from './step';

const system = z.strictObject({
  adapter: z.enum(['postgres', 'http', 'rabbitmq']),
  urlEnv: envName,
  streams: z.number().int().min(1).max(64).default(2).describe('most bulk streams this system bears at once'),
});

const window = z.strictObject({
  opens: z
    .string()
    .regex(
      /^((Mon|Tue|Wed|Thu|Fri|Sat|Sun)(,(Mon|Tue|Wed|Thu|Fri|Sat|Sun))* )?([01]\d|2[0-3]):[0-5]\d$/,
      'a weekday and an hour such as `Sat 22:00`, or `22:00` for every day',
    )
    .describe('weekday and local time'),
  lasts: duration,
  holidays: z
    .string()
    .regex(/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/, 'a country code such as NL')
    .optional()
    .describe('public holidays are closed'),
  blackouts: z
    .array(z.string().regex(/^\d{4}-\d\d-\d\d\/\d{4}-\d\d-\d\d$/, 'two dates such as 2026-12-24/2027-01-02'))
    .optional(),
});

const measureBase = { id, title: z.string().optional(), at: z.array(id).min(1).describe('gates at which it is shown') };

/** Success measures: thresholds agreed in advance, read from the systems. Exactly one threshold each (checked). */
const measureSchema = z.union([
  z.strictObject({
    ...measureBase,
    builtin: z.enum([
      'customersDisturbed',
      'longestHold',
      'refusedWrites',
      'downtime',
      'shareMoved',
      'customersExcluded',
    ]),
    atMost: z.number().optional().describe('times are in seconds'),
    atLeast: z.number().optional(),
    shareAtMost: z.number().min(0).max(1).optional(),
  }),
  z.strictObject({
    ...measureBase,
    sql: totalSchema,
    differenceAtMost: z.number().nonnegative().describe('absolute difference of the two numbers, for the gate’s wave'),
  }),
]);

const work = z.union([
  z.strictObject({
    system: id.default('source'),
    from: tableName,
    key: columnName,
    customer: columnName,
    open: sql.describe('predicate over the row'),
    leftover: z.union([z.literal('exclude'), z.strictObject({ handTo: id })]),
  }),
  z.strictObject({
    system: id.default('source'),
    queue: z.string().min(1).describe('queue name'),
    broker: z.enum(['pgboss', 'rabbitmq']),
    customer: z
      .string()
      .optional()
      .describe('field of the message that names the customer; without it the whole queue is drained'),
    leftover: z.union([z.literal('exclude'), z.strictObject({ handTo: id })]),
  }),
]);

const request = z.strictObject({
  source: sql.describe('statement run in the source; $1 is the payload (jsonb), $2 the customer'),
  target: sql.describe('the same in the target'),
});

const risk = z.strictObject({
  id,
  text: z.string().min(1),
  mitigation: z.string().min(1),
  owner: id,
  closedBy: id.optional(),
});

export const runbookSchema = z.strictObject({
  runbook: id,
  version: z.number().int().positive(),
  title: z.string().min(1),
  timeZone: z.string().min(1),
  conversion: z.string().min(1).describe('path of the conversion file, relative to the runbook'),
  pointOfNoReturn: id.describe('a gate; once it has passed, rollback is refused'),
  roles: z.record(id, z.enum(['own', 'supplier', 'thirdParty'])),
  systems: z.record(id, system),
  windows: z.record(id, window).default({}),
  limits: z.strictObject({ frozenAtMost: duration, heldAtMost: duration, lease: duration.default('PT30S') }),
  population: z.strictObject({
    system: id,
    from: tableName,
    key: columnName,
    target: z.strictObject({ from: tableName, key: columnName, active: sql.optional() }),
    active: sql.optional(),
  }),
  success: z.array(measureSchema).default([]),
  totals: z.record(id, totalSchema).default({}),
  risks: z.array(risk).default([]),
  work: z.record(id, work).default({}),
  requests: z.record(id, request).default({}),
  script: z
    .strictObject({ source: z.string(), moving: z.string(), target: z.string() })
    .optional()
    .describe('what an agent reads out'),
  before: z.array(phaseSchema).default([]),
  perWave: z.array(phaseSchema).min(1),
  after: z.array(phaseSchema).default([]),
});

export type Runbook = z.output<typeof runbookSchema>;
export type Measure = z.output<typeof measureSchema>;
export type WorkStock = Runbook['work'][string];
