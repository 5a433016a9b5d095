import { sortFindings, type Finding } from '../finding';
import type { Documents } from '../load';
import { calendar } from './calendar';
import { listGates, listSteps, type CheckContext, type Rule } from './context';
import { cyclesInNeeds, entityOrder } from './cycles';
import { disruptiveSteps, limitsAndWindows, plannedNight, windowWhileFrozen } from './hours';
import { duplicateIds, reservedIds } from './ids';
import { listedTwice, nothingToMove } from './lists';
import { actions, measures, systems } from './measures';
import { noTime, openings } from './openings';
import { dataOrder, intakePairs, pointOfNoReturn, switchOrder, wavePlacement } from './order';
import { plan, waves } from './plan';
import { unknownGates, unknownNeeds, unknownRoles, unknownSystems, unknownWindows, unknownWork } from './references';
import { brokenSql, fleetingMapping, readsThatWrite, semicolons, swallowingComments, typographicQuotes } from './sql';
import { placeholders, requestParameters, secrets } from './texts';
import { gatesCanPass, peopleAndRoles } from './votes';
import { mapping, waysBack } from './ways-back';

/** Rules that plan the night come last: they hold back when the graph of steps is broken. */
export const RULES: readonly Rule[] = [
  ...[unknownRoles, unknownSystems, unknownWindows, unknownWork, unknownGates, unknownNeeds],
  ...[duplicateIds, listedTwice, reservedIds, cyclesInNeeds, entityOrder],
  ...[switchOrder, dataOrder, intakePairs, wavePlacement, pointOfNoReturn],
  ...[peopleAndRoles, gatesCanPass, measures, systems, actions],
  ...[nothingToMove, waysBack, mapping, secrets, placeholders, requestParameters, plan, waves],
  ...[brokenSql, swallowingComments, semicolons, typographicQuotes, readsThatWrite, fleetingMapping],
  ...[calendar, openings, noTime, disruptiveSteps, windowWhileFrozen, limitsAndWindows, plannedNight],
];

/**
 * Everything that can be known of a runbook, its conversion and its plan without a database. Starts with what reading
 * them found; the rules need a readable runbook, and use the conversion and the plan as far as they are readable.
 * `nowMs` decides which changes of the clock lie ahead.
 */
export function checkRunbook(docs: Documents, nowMs: number = Date.now(), rules: readonly Rule[] = RULES): Finding[] {
  if (!docs.runbook) return sortFindings(docs.findings);
  const context: CheckContext = {
    runbook: docs.runbook,
    conversion: docs.conversion,
    plan: docs.plan,
    nowMs,
    steps: listSteps(docs.runbook),
    gates: listGates(docs.runbook),
    sources: { runbook: docs.sources.runbook, conversion: docs.sources.conversion, plan: docs.sources.plan },
    findings: [],
  };
  for (const rule of rules) rule(context);
  return sortFindings([...docs.findings, ...context.findings]);
}
