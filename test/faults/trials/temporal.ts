import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { markerFile, releaseFile } from '../../e2e/support/break-files';
import type { Random } from '../../support/random';
import { NotHappened, type Field } from '../field';
import { inGroups, momentsOf, STEP_EFFECTS } from '../moments';
import type { Trial } from '../trial';

const IN_A_NIGHT = 4;
const LOOK_MS = 20;

/** The Temporal server killed, its database with it, while a worker is before an effect or has not yet told of it. */
export const temporal = (random: Random): Trial[] =>
  inGroups(random, momentsOf(STEP_EFFECTS, ['before', 'after']), IN_A_NIGHT).map((moments, at) => ({
    name: `temporal-killed-${at + 1}`,
    fault: 'Temporal killed',
    options: { breakAt: moments.map((moment) => `${moment}:wait`) },
    play: async (field) => {
      const watch = new AbortController();
      const killing = killAtEach(field, moments, watch.signal);
      killing.catch(() => undefined); // awaited below
      await field.finish().finally(() => watch.abort());
      const missed = await killing;
      if (missed.length > 0) throw new NotHappened(`nobody came to ${missed.join(', ')}`);
      return 'either';
    },
  }));

/** Kills Temporal whenever a worker waits at one of the moments, then lets the worker go on. Resolves to what never came. */
async function killAtEach(field: Field, moments: readonly string[], signal: AbortSignal): Promise<string[]> {
  const left = new Set(moments);
  while (left.size > 0 && !signal.aborted) {
    for (const moment of left) {
      if (!existsSync(markerFile(field.breakDir, moment))) continue;
      left.delete(moment);
      await field.ground.restart('temporal');
      writeFileSync(releaseFile(field.breakDir, moment), '');
    }
    await sleep(LOOK_MS);
  }
  return [...left];
}
