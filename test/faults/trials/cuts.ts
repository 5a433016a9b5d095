import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../support/random';
import { waitUntil } from '../../support/wait-until';
import { withLease, type Field } from '../field';
import { WAYS, type Way } from '../ground';
import { judge } from '../promises';
import type { Trial } from '../trial';

const LEASE_MS = 15_000;
/** From the lease's end to the next look of a customer, on a machine that does much else; a lease that is renewed lasts 15 minutes. */
const MARGIN_MS = 30_000;
const SHORT_MS = [500, 6_000] as const;
const PAST_LEASE_MS = LEASE_MS + 5_000;
const STEPS = ['preload', 'catchUp', 'prove', 'intake', 'freeze', 'convert', 'verify', 'switch', 'release'];

type Deed = 'cut' | 'stall';

/** The ways between workers and their world cut, or stalled without a word: for seconds at steps of chance, and past the lease. */
export const cuts = (random: Random): Trial[] =>
  (['cut', 'stall'] as const).flatMap((deed) => [
    ...WAYS.map((way): Trial => {
      const steps = STEPS.filter(() => random.chance(0.5));
      const at = steps.length === 0 ? ['freeze'] : steps;
      return {
        name: `${deed}-${way}-some-seconds`,
        fault: deed === 'cut' ? 'way cut' : 'way stalled',
        play: (field) => seconds(field, way, deed, at),
      };
    }),
    ...WAYS.map((way): Trial => ({
      name: `${deed}-${way}-past-the-lease`,
      fault: deed === 'cut' ? 'way cut' : 'way stalled',
      options: { script: { leave: ['final'] }, change: withLease(`PT${LEASE_MS / 1_000}S`) },
      play: (field) => pastTheLease(field, way, deed),
    })),
  ]);

const strike = ({ ground: { ways } }: Field, way: Way, deed: Deed): void => ways[way][deed]();

/** At each of the steps, as soon as it has begun. */
async function seconds(field: Field, way: Way, deed: Deed, at: readonly string[]): Promise<'either'> {
  for (const id of at) {
    const begun = (steps: readonly { id: string; status: string }[] = []): boolean =>
      steps.some((step) => step.id === id && ['running', 'done'].includes(step.status));
    await field.play(({ wave }) => begun(wave?.steps));
    strike(field, way, deed);
    await sleep(SHORT_MS[0] + field.random.below(SHORT_MS[1] - SHORT_MS[0]));
    field.ground.ways[way].heal();
  }
  await field.finish();
  return 'either';
}

/** While customers are frozen. Where nobody can renew the lease they write again when it ends, cut or not. */
async function pastTheLease(field: Field, way: Way, deed: Deed): Promise<'either'> {
  await field.play(({ wave }) => wave?.frozen != null);
  strike(field, way, deed);
  const struckAt = Date.now();
  if (way === 'source' || way === 'temporal') {
    await waitUntil(() => field.sourceAccepts(), 4 * (LEASE_MS + MARGIN_MS));
    const tookMs = Date.now() - struckAt;
    judge(
      field.judgement,
      'LIVE',
      tookMs > LEASE_MS + MARGIN_MS ? [`customers wrote again after ${tookMs} ms only`] : [],
    );
  } else await sleep(PAST_LEASE_MS);
  field.ground.ways[way].heal();
  field.night.script.leave = [];
  await field.finish();
  return 'either';
}
