import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../e2e/support/stage';
import type { Collector } from '../support/collector';
import { textOf } from '../support/text-of';

/** Nobody is called so: wherever one of these stands, a customer's name, address or number would. */
const CANARIES = ['Quillon Canaryfield', 'quillon@canary.example', '+44 7700 900461'] as const;

/** A text with all of them; `n` makes it differ from others. */
export const canary = (n: number | string): string => `${CANARIES.join(' ')} ${n}`;

/** Pieces long enough to be nobody else's, however the text was cut, folded or escaped on its way. */
const SEEN = /quillon|canaryfield|canary\.example|7700.?900461/i;

/** A place with its text. */
export interface Place {
  where: string;
  text: string;
}

/** Where a canary was found. */
export const findings = (places: readonly Place[]): string[] =>
  places.flatMap(({ where, text }) => {
    const at = text.search(SEEN);
    return at < 0 ? [] : [`${where}: …${text.slice(Math.max(0, at - 120), at + 60)}…`];
  });

/** Every run of the namespace: its whole history with payloads and failures as text, its memo and its search attributes. */
export async function histories({ temporal: { client } }: Stage): Promise<Place[]> {
  const places: Place[] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    const run = client.workflow.getHandle(workflowId, runId);
    places.push({ where: `history of ${workflowId}`, text: textOf(await run.fetchHistory()) });
    const { memo, typedSearchAttributes } = await run.describe();
    places.push({ where: `attributes of ${workflowId}`, text: textOf([memo, typedSearchAttributes.getAll()]) });
  }
  return places;
}

/** What was sent to a collector, all of it. */
export const traces = ({ spans }: Collector): Place => ({ where: 'traces', text: JSON.stringify(spans) });

/** Every file below `dir`. */
export function files(dir: string): Place[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? files(path) : [{ where: path, text: readFileSync(path, 'utf8') }];
  });
}

/** What control keeps of the run but for requests, whose payload is what was sent: of those what was said about them. */
const KEPT = ['ledger', 'ledger_value', 'result', 'view', 'undo', 'chunk', 'wave', 'cutover', 'refusal'];

export async function control(stage: Stage): Promise<Place[]> {
  const read = async (where: string, sql: string): Promise<Place> => ({
    where,
    text: JSON.stringify(await stage.query(stage.urlOf('control'), sql)),
  });
  return Promise.all([
    ...KEPT.map((table) => read(`control.${table}`, `select * from control.${table}`)),
    read('control.request', 'select id, kind, state, wave, side, reason from control.request'),
  ]);
}
