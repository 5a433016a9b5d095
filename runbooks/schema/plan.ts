import { z } from 'zod';
import { duration, id, sql } from './common';

export const instant = z.iso
  .datetime({ offset: true })
  .describe('an instant with its offset, such as 2026-11-28T22:00:00+01:00');

/** People, dates and waves: what differs between a rehearsal and the real night. */
export const planSchema = z.strictObject({
  plan: id,
  runbook: id,
  mode: z.enum(['real', 'rehearsal']).default('real'),
  pace: z.number().min(1).max(10_000).default(1).describe('rehearsal only: divides calendar waits, never machine work'),
  people: z
    .array(
      z.strictObject({
        id,
        name: z.string().min(1),
        roles: z.array(id).min(1),
        party: z.string().optional(),
        deputyOf: id.optional(),
      }),
    )
    .min(1),
  waves: z
    .array(
      z.strictObject({
        id,
        where: sql.optional().describe('predicate over the population; the last wave takes everyone else'),
      }),
    )
    .min(1),
  windows: z
    .record(id, z.array(z.strictObject({ opensAt: instant, lasts: duration })).min(1))
    .optional()
    .describe('exact openings that replace the runbook’s pattern'),
  durations: z.record(id, duration).optional().describe('step id: planned duration, usually measured in a rehearsal'),
});

export type Plan = z.output<typeof planSchema>;
