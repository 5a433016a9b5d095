import { parseArgs } from 'node:util';
import { z } from 'zod';

const config = z.strictObject({
  source: z.url().describe('URL of the legacy database'),
  target: z.url().describe('URL of the new database'),
  gateway: z.url().describe('URL of the gateway'),
  control: z.url().optional().describe('URL of control, where refused writes are reported'),
  cutover: z.string().optional().describe('the cutover they are reported for'),
  journal: z.string().min(1).describe('file the operations are appended to'),
  rate: z.coerce.number().positive().max(2_000).default(80).describe('operations a second'),
  seed: z.coerce.number().int().nonnegative().default(1),
  workers: z.coerce.number().int().min(1).max(64).default(8),
  name: z
    .string()
    .regex(/^[a-z0-9]*$/)
    .default('')
    .describe('goes into operation ids, when several traffics run'),
  doubleSends: z.coerce.number().min(0).max(1).default(0.15),
  strays: z.coerce.number().min(0).max(1).default(0.01),
  focus: z
    .boolean()
    .default(true)
    .describe('prefer customers of the wave that is moving and kinds that are rare so far'),
});
export type TrafficConfig = z.output<typeof config>;

/** Flags first, then SOURCE_URL, TARGET_URL, GATEWAY_URL, CONTROL_URL and CUTOVER. Throws with what is missing. */
export function readConfig(args: string[], env: NodeJS.ProcessEnv): TrafficConfig {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      source: { type: 'string' },
      target: { type: 'string' },
      gateway: { type: 'string' },
      control: { type: 'string' },
      cutover: { type: 'string' },
      journal: { type: 'string' },
      rate: { type: 'string' },
      seed: { type: 'string' },
      workers: { type: 'string' },
      name: { type: 'string' },
      doubleSends: { type: 'string' },
      strays: { type: 'string' },
      focus: { type: 'boolean' },
    },
  });
  const fallback = {
    source: env['SOURCE_URL'],
    target: env['TARGET_URL'],
    gateway: env['GATEWAY_URL'],
    control: env['CONTROL_URL'],
    cutover: env['CUTOVER'],
  };
  const result = config.safeParse({ ...fallback, ...values });
  if (!result.success) throw new Error(`traffic: ${z.prettifyError(result.error)}`);
  return result.data;
}
