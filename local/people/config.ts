import { parseArgs } from 'node:util';
import { z } from 'zod';

const config = z.strictObject({
  person: z.string().min(1).describe('id in the plan'),
  cutover: z.string().min(1),
  roles: z.array(z.string().min(1)).optional().describe('default: those of the plan the cutover was started with'),
  via: z.enum(['cli', 'signal']).default('cli').describe('how this person votes'),
  noGo: z.string().optional().describe('a gate at which this person votes no-go, whatever the evidence says'),
  votes: z.boolean().default(true),
  everyMs: z.coerce.number().int().min(50).default(700),
  patienceMs: z.coerce
    .number()
    .int()
    .min(0)
    .default(4_000)
    .describe('how long red evidence is looked at before a no-go'),
});
export type PersonConfig = z.output<typeof config>;

/** `--person ID --cutover ID [--roles a,b] [--via signal] [--no-go GATE] [--no-votes]`. Throws with what is wrong. */
export function readConfig(args: string[]): PersonConfig {
  const { values } = parseArgs({
    args,
    options: {
      person: { type: 'string' },
      cutover: { type: 'string' },
      roles: { type: 'string' },
      via: { type: 'string' },
      'no-go': { type: 'string' },
      'no-votes': { type: 'boolean' },
      everyMs: { type: 'string' },
      patienceMs: { type: 'string' },
    },
  });
  const { 'no-go': noGo, 'no-votes': noVotes, roles, ...rest } = values;
  const result = config.safeParse({ ...rest, noGo, votes: noVotes !== true, roles: roles?.split(',') });
  if (!result.success) throw new Error(`people: ${z.prettifyError(result.error)}`);
  return result.data;
}
