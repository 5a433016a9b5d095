import { Random } from '../support/random';
import { NotOver } from '../e2e/support/night';
import { audit, type Ending } from './audit';
import { Field, NotHappened } from './field';
import type { Ground } from './ground';
import { judge, type Judgement } from './promises';
import type { Trial } from './trial';

export interface Result {
  trial: Trial;
  /** Null: it was stopped by a person or by the clock. */
  ending: Ending | 'not-over' | null;
  judgement: Judgement;
  /** Why it proves nothing: the fault did not happen, or the harness failed. */
  unproven: string | null;
  seconds: number;
}

/** What a run loses its freeze for is no fault of the product: a lease that lapsed under the fault sends it back. */
const LOST_FREEZE = /freeze was lost/;

/** How the night ended, and why it went back. */
const endOf = (field: Field | null): string =>
  `it ended ${field?.view?.outcome ?? 'nowhere'}: ${field?.view?.rollback?.reason ?? 'nobody went back'}`;

/** Plays one trial on a ground of its own, and judges. Never throws. */
export async function attempt(ground: Ground, trial: Trial, seed: number): Promise<Result> {
  const startedAt = Date.now();
  const result: Result = { trial, ending: null, judgement: {}, unproven: null, seconds: 0 };
  let field: Field | null = null;
  try {
    field = await Field.open(ground, new Random(seed), trial.options ?? {});
    const expected = await trial.play(field);
    const outcome = field.view?.outcome;
    result.ending = outcome === 'live' ? 'live' : 'rolled-back';
    await audit(field, result.ending);
    result.judgement = field.judgement;
    const lost = LOST_FREEZE.test(field.view?.rollback?.reason ?? '');
    if (expected !== 'either' && expected !== outcome && !lost) judge(result.judgement, 'LIVE', [endOf(field)]);
  } catch (error) {
    if (error instanceof NotOver) {
      result.ending = 'not-over';
      judge(result.judgement, 'LIVE', [error.message]);
    } else
      result.unproven =
        error instanceof NotHappened
          ? `${error.message}; ${endOf(field)}`
          : error instanceof Error
            ? (error.stack ?? error.message)
            : String(error);
  } finally {
    await field?.close().catch((error: unknown) => (result.unproven ??= `it could not be put away: ${String(error)}`));
  }
  result.seconds = (Date.now() - startedAt) / 1_000;
  return result;
}
