/** A process that moves waves back and forth until it is told to stop, or killed. */
import { FENCE_STALE, sqlStateOf } from '../../systems/postgres/connect';
import { SystemFault } from '../../systems/ports';
import { ownerOf, type Mover } from './actor';
import { leave, report, reportBroken, stopAtParentsEnd, stopping } from './child';
import { changeMember } from './members';
import { moveWave, resolve } from './moves';
import { Random } from '../support/random';
import { enterWorld, WAVES, type ChildConfig } from './world';

const config = JSON.parse(process.argv[2] ?? '{}') as ChildConfig;

async function step(mover: Mover): Promise<void> {
  const { random, world } = mover;
  if (random.chance(0.2)) return changeMember(mover);
  for (const wave of WAVES)
    if ((await ownerOf(world, wave)) === null && random.chance(0.5))
      return resolve(mover, wave, random.pick(['source', 'target'] as const));
  const wave = random.pick(WAVES);
  await moveWave(mover, wave);
}

async function main(): Promise<void> {
  stopAtParentsEnd();
  const world = await enterWorld(config.urls);
  const mover: Mover = { world, random: new Random(config.seed), reckless: true, note: report, broken: reportBroken };
  while (!stopping()) {
    try {
      report('step');
      await step(mover);
    } catch (error) {
      if (sqlStateOf(error) === FENCE_STALE) report('woke-stale');
      else if (error instanceof SystemFault && (error.retryable || sqlStateOf(error) === 'CU004'))
        report(`fault-${sqlStateOf(error) ?? 'none'}`);
      else if (error instanceof SystemFault) reportBroken(`a mover was refused: ${error.message}`);
      else throw error;
    }
  }
  await world.close();
  leave();
}

main().catch((error: unknown) => {
  process.stderr.write(`mover ${config.index}: ${String((error as Error).stack)}\n`);
  process.exit(3);
});
