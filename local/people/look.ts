import { Pool } from 'pg';
import { parse } from 'yaml';
import { connectClient } from '../../cli/connect';
import { findCutover } from '../../cli/find-cutover';
import { readStatus, type StatusShown } from '../../cli/run-status';
import { planSchema } from '../../runbooks/schema/plan';
import { getCutover } from '../../systems/control/cutovers';
import { getDocument } from '../../systems/control/documents';

/**
 * How a person sees the run: what `cutover status --output json` prints, read by the same code. Spawning the command for
 * every look of every person would cost a core.
 */
export interface Eyes {
  /** Undefined while nobody answers. */
  status(): Promise<StatusShown | undefined>;
  /** The roles the plan gives the person. Throws when the plan does not know them. */
  roles(person: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openEyes(cutover: string, env: NodeJS.ProcessEnv): Promise<Eyes> {
  const control = new Pool({ connectionString: env['CONTROL_URL'], max: 1, application_name: 'cutover-person' });
  control.on('error', () => undefined); // an idle connection broke; the next look opens another
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const temporal = await connectClient(Object.fromEntries(set));
  return {
    async status() {
      try {
        return await readStatus(await findCutover(cutover, control, temporal), temporal, control);
      } catch {
        return undefined; // no worker or server answers now; a person looks again
      }
    },
    async roles(person) {
      const row = await getCutover(control, cutover);
      const document = row ? await getDocument(control, row.planHash) : null;
      if (!document) throw new Error(`the plan of cutover ${cutover} is not in control`);
      const found = planSchema.parse(parse(document.body)).people.find((each) => each.id === person);
      if (!found) throw new Error(`the plan knows no ${person}`);
      return found.roles;
    },
    async close() {
      await Promise.all([temporal.close(), control.end()]);
    },
  };
}
