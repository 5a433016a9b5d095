import { coveredBy } from '../../domain/spans';
import { isMachineWork } from '../../domain/step-kinds';
import type { StepKind } from '../../runbooks/schema/step';
import type { JsonForecast, JsonStep, JsonWave } from './report-json';

const isMachine = ({ kind }: JsonStep): boolean => isMachineWork(kind as StepKind);

/** How far the plan was off in what machines took. Steps that were planned and done count, each of every wave. */
export function forecastError(steps: readonly JsonStep[], waves: readonly JsonWave[]): JsonForecast {
  const both = steps
    .filter((step) => isMachine(step) && step.status === 'done')
    .map(({ planned, actual }) => ({ planned: planned.seconds ?? 0, actual: actual.seconds ?? 0 }));
  const total = (of: (each: (typeof both)[number]) => number): number => both.reduce((all, each) => all + of(each), 0);
  const actualSeconds = total(({ actual }) => actual);
  return {
    plannedSeconds: total(({ planned }) => planned),
    actualSeconds,
    error: actualSeconds === 0 ? null : total(({ planned, actual }) => Math.abs(planned - actual)) / actualSeconds,
    frozen: waves.flatMap(({ id, downtimeSeconds }) => {
      const plannedSeconds = plannedFrozen(steps.filter(({ wave }) => wave === id));
      return plannedSeconds === null || downtimeSeconds.machine === null
        ? []
        : [{ wave: id, plannedSeconds, actualSeconds: downtimeSeconds.machine }];
    }),
  };
}

/** What machines do between the planned freeze and switch of one wave, seconds; null when it has not both. */
function plannedFrozen(steps: readonly JsonStep[]): number | null {
  const at = (time: string | null | undefined): number => Date.parse(time ?? '') / 1_000;
  const from = at(steps.find(({ kind }) => kind === 'freeze')?.planned.start);
  const to = at(steps.find(({ kind }) => kind === 'switch')?.planned.end);
  if (Number.isNaN(from) || Number.isNaN(to)) return null;
  const spans = steps.filter(isMachine).map(({ planned }) => [at(planned.start), at(planned.end)] as const);
  return coveredBy(spans, from, to);
}
