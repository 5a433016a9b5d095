import { z } from 'zod';

const schema = z.object({
  /** URL of the control database: registry, documents, ledger, requests. */
  CONTROL_URL: z.string().min(1).optional(),
  NO_COLOR: z.string().optional(),
  TERM: z.string().optional(),
});

/** Variables the command reads itself; the Temporal ones are read by envconfig, as the stock CLI reads them. */
export interface Environment extends z.output<typeof schema> {
  /** Everything, for what runbooks name (`urlEnv`) and for the processes that are started. */
  all: Record<string, string>;
}

export function readEnvironment(env: Record<string, string | undefined>): Environment {
  const all = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
  return { ...schema.parse(all), all };
}
