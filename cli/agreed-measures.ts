import type { Measure, Runbook } from '../runbooks/schema/runbook';

export interface AgreedMeasure {
  id: string;
  title: string;
  /** In words: `at most 900`. */
  threshold: string;
}

/** The success measures of a runbook with their thresholds in words, in its order. */
export function agreedMeasures(runbook: Pick<Runbook, 'success'>): AgreedMeasure[] {
  return runbook.success.map((measure) => ({
    id: measure.id,
    title: measure.title ?? measure.id,
    threshold: threshold(measure),
  }));
}

function threshold(measure: Measure): string {
  if ('sql' in measure) return `both sides differ by at most ${measure.differenceAtMost}`;
  if (measure.shareAtMost !== undefined) return `at most ${percent(measure.shareAtMost)} of the customers`;
  if (measure.builtin === 'shareMoved') return `at least ${percent(measure.atLeast ?? 0)}`;
  return measure.atLeast === undefined ? `at most ${measure.atMost ?? 0}` : `at least ${measure.atLeast}`;
}

const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`;
