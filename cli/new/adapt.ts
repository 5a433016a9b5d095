import { isMap, isScalar, isSeq, parseDocument, type Document, type YAMLMap } from 'yaml';
import type { Conversion } from '../../runbooks/schema/conversion';
import { usage } from '../exit';

export interface Population {
  from: string;
  key: string;
  target: { from: string; key: string };
}

/** Steps, a risk and a system that only the shipped company has. */
const THEIRS = {
  steps: ['stop-jobs', 'hold-debits', 'restart-jobs'],
  risks: ['collected-twice'],
  systems: ['jobs'],
};

const TESTS = ['A customer looked up', 'A change made, and read back', 'A bill or its like made'];

/** The customers of a conversion: the entity whose key is the customer, on both sides. Throws a CliError when there is none. */
export function populationOf(conversion: Conversion): Population {
  for (const { from, to } of Object.values(conversion.entities))
    if ('table' in from && from.key === from.customer && to.key === to.customer)
      return { from: from.table, key: from.customer, target: { from: to.table, key: to.customer } };
  throw usage(
    'no entity of the conversion is the customers',
    'one needs `from: { table, key, customer }` with key and customer the same column, and so under `to`',
  );
}

/** The shipped runbook under another name; with a population, without what only fits the shipped company's data. */
export function adaptRunbook(text: string, name: string, population: Population | null): string {
  const runbook = parseDocument(text);
  runbook.set('runbook', name);
  runbook.set('version', 1);
  runbook.set('title', `${name}: the move to the new system`);
  if (population) forPopulation(runbook, population);
  return runbook.toString({ lineWidth: 120 });
}

function forPopulation(runbook: Document, population: Population): void {
  for (const system of THEIRS.systems) runbook.deleteIn(['systems', system]);
  runbook.set('population', runbook.createNode({ system: 'source', ...population }));
  runbook.delete('requests');
  runbook.set('totals', runbook.createNode({ customers: counted(population) }));
  runbook.set(
    'work',
    runbook.createNode({
      'open-work': {
        system: 'source',
        from: population.from,
        key: population.key,
        customer: population.key,
        open: 'false',
        leftover: { handTo: 'ops' },
      },
    }),
  );
  comment(
    runbook,
    'totals',
    ' DECIDE which sums the business trusts: money owed, open orders. $1 is the wave, null for all.',
  );
  comment(
    runbook,
    'work',
    ' DECIDE which work must be finished before the freeze; with `open: false` nothing is. Requests for the gateway: see billing-oss.',
  );
  keep(runbook, ['success'], (item) => !item.has('sql'));
  keep(runbook, ['risks'], (item) => !THEIRS.risks.includes(String(item.get('id'))));
  for (const part of ['before', 'perWave', 'after']) {
    const phases = runbook.get(part);
    if (!isSeq(phases)) continue;
    phases.items.forEach((_, at) => adaptSteps(runbook, [part, at, 'steps']));
  }
}

function adaptSteps(runbook: Document, path: (string | number)[]): void {
  keep(runbook, path, (step) => !THEIRS.steps.includes(String(step.get('id'))));
  const steps = runbook.getIn(path);
  if (!isSeq(steps)) return;
  for (const step of steps.items) {
    if (!isMap(step)) continue;
    const needs = step.get('needs');
    if (isSeq(needs) && needs.items.some((each) => isScalar(each) && THEIRS.steps.includes(String(each.value))))
      step.delete('needs');
    if (step.get('kind') === 'drain') step.set('work', runbook.createNode(['open-work']));
    if (step.get('kind') === 'verify' && step.has('totals')) step.set('totals', runbook.createNode(['customers']));
    if (['user-tests', 'smoke'].includes(String(step.get('id')))) step.set('items', runbook.createNode(TESTS));
  }
}

/** Keeps the maps of a list that pass. */
function keep(runbook: Document, path: readonly (string | number)[], passes: (item: YAMLMap) => boolean): void {
  const list = runbook.getIn(path);
  if (isSeq(list)) list.items = list.items.filter((item) => !isMap(item) || passes(item));
}

function comment(runbook: Document, key: string, text: string): void {
  if (!isMap(runbook.contents)) return;
  const pair = runbook.contents.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (pair && isScalar(pair.key)) pair.key.commentBefore = text;
}

const counted = ({ from, key, target }: Population): { source: string; target: string } => {
  const count = (table: string, column: string): string =>
    `select count(*) from ${table} left join cutover.member on customer = ${column}::text ` +
    'where $1::int is null or coalesce(wave, (select max(w.wave) from cutover.wave w)) = $1::int';
  return { source: count(from, key), target: count(target.from, target.key) };
};

/** The shipped plan for another runbook. Its dates are past or will be: the runbook's pattern counts until somebody names openings. */
export function adaptPlan(text: string, name: string, population: Population | null): string {
  const plan = parseDocument(text);
  plan.set('plan', `${name}-1`);
  plan.set('runbook', name);
  plan.delete('windows');
  plan.delete('durations');
  if (population)
    plan.setIn(['waves', 0, 'where'], `('x' || substr(md5(${population.key}::text), 1, 7))::bit(28)::int % 10 = 0`);
  comment(plan, 'people', ' DECIDE who they are: these people are the shipped example.');
  return plan.toString({ lineWidth: 120 });
}
