import { z } from 'zod';
import { duration, id, sql } from './common';

const base = {
  id: id.optional().describe('unique in the runbook; default: the kind'),
  title: z.string().min(1).optional(),
  owner: id.optional().describe('role; default: the phase’s owner'),
  needs: z.array(id).optional().describe('steps of this phase; default: the step before; [] starts with the phase'),
  go: id.optional().describe('role whose holder must say go before the step starts'),
  planned: duration.optional().describe('planned duration; measured ones replace it'),
};

const step = <K extends string, S extends z.core.$ZodLooseShape>(kind: K, shape: S) =>
  z.strictObject({ kind: z.literal(kind), ...base, ...shape });

const due = duration
  .optional()
  .describe('overdue so long after it opens: owner, deputy and lead are told; default: `planned`; without it, never');

const stepSchema = z.discriminatedUnion('kind', [
  step('task', {
    signedBy: z.array(id).optional().describe('roles; one person of each signs; default: the owner'),
    validFor: duration.optional().describe('how long the completion counts'),
    due,
    note: z.string().optional(),
  }),
  step('checklist', {
    items: z.array(z.string().min(1)).min(1),
    evidence: z.enum(['required', 'optional']).default('optional').describe('each recorded item names its evidence'),
    due,
  }),
  step('window', { window: id.optional().describe('waits until it is open; default: the phase’s window') }),
  step('notify', { to: z.array(id).min(1), text: z.string().min(1) }),
  step('action', {
    system: id,
    do: z.string().min(1).describe('`POST /path` for http, an SQL statement for postgres'),
    undo: z.string().min(1).describe('the same for the way back; `none` when there is nothing to undo'),
    check: z
      .string()
      .min(1)
      .optional()
      .describe('`GET /path` that answers 2xx, or a query that returns true, when it took effect'),
  }),
  step('preload', { chunkRows: z.number().int().min(1).max(1_000_000).default(10_000) }),
  step('catchUp', {
    until: z.strictObject({ lagRows: z.number().int().nonnegative().default(1_000) }).default({ lagRows: 1_000 }),
  }),
  step('intake', {}),
  step('drain', {
    work: z.array(id).min(1),
    atMost: duration.default('PT30M').describe('after this, what is left goes where `leftover` says'),
  }),
  step('freeze', {}),
  step('convert', {}),
  step('verify', {
    scope: z.enum(['live', 'frozen']).default('frozen'),
    totals: z.array(id).optional().describe('ids under `totals` of the runbook, compared on both sides'),
  }),
  step('switch', {}),
  step('release', {}),
  step('hypercare', {
    atLeast: duration,
    exit: z
      .strictObject({ openHighIncidents: z.number().int().nonnegative().default(0) })
      .default({ openHighIncidents: 0 }),
    rollbackIn: id.optional().describe('the window a rollback from hypercare must run in'),
  }),
]);

const gateSchema = z.strictObject({
  id,
  votes: z.array(id).min(1).describe('roles; one distinct person of each must say go'),
  ownVotes: z.number().int().nonnegative().optional().describe('how many voters must be people of the own company'),
  deadline: duration.optional().describe('after opening; then the default decision, no-go, is taken'),
  onNoGo: z.enum(['hold', 'rollBack', 'abort']).describe('`hold` keeps the gate open for new votes'),
  accept: z
    .array(id)
    .optional()
    .describe('success measures shown here, or `shapes` (tables that changed), that may be red'),
});

export const phaseSchema = z.strictObject({
  phase: id,
  owner: id,
  window: id.optional().describe('disruptive steps of this phase start only inside it'),
  steps: z.array(stepSchema).min(1),
  gate: gateSchema.optional(),
});

/** Each side is a query that returns one number; `$1` is the wave (int), null for all waves together. */
export const totalSchema = z.strictObject({
  source: sql.describe('a query that returns one number; $1 is the wave (int), null for all waves'),
  target: sql.describe('the same for the target'),
});

export type Step = z.output<typeof stepSchema>;
export type StepKind = Step['kind'];
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>;
export type Gate = z.output<typeof gateSchema>;
export type Phase = z.output<typeof phaseSchema>;
