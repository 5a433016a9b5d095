import { viewOf, type RunView } from '../../../engine/view';
import type { ResolvedRun } from '../../../runbooks/resolved';
import { parseMessage } from '../../../workflows/messages';
import { deedsOf } from '../../e2e/support/people';
import { bodies, type Bodies } from '../activities';
import { Clock } from '../clock';
import { ActivityPlayer, WEATHERS } from '../faults';
import { Prng } from '../prng';
import { Runs } from '../runs';
import { ActivityFault, type Attempt } from '../world/attempt';
import { createWorld } from '../world/create';
import { waveOf, waveRow, type World } from '../world/world';
import { truthOf } from '../world/writers';
import { CUSTOMERS, type Decisions, type Kill } from './decisions';
import { isTold, outcomeOf, ownerBy, standsStill, type Outcome, type Views } from './outcome';

const LOOK_MS = 200;
const EVENTS_AT_MOST = 30_000;

const customers = Array.from({ length: CUSTOMERS }, (_, at) => `w1c${at + 1}`);

/** The world of the simulator with the customers that were decided on. */
function worldOf(clock: Clock, seed: number, { unmappable }: Decisions): World {
  const world = createWorld(clock, new Prng(seed), new Set());
  for (const [key, row] of world.source.rows) {
    const number = customers.indexOf(row.customer) + 1;
    if (key.endsWith('/0'))
      world.source.rows.set(key, { ...row, value: unmappable.includes(number) ? 'bad' : 'active' });
  }
  return world;
}

/** The first attempt of the activity ends as if its worker had died: before anything, in the middle, or when all was done. */
function dying(all: Bodies, kills: readonly Kill[]): Bodies {
  const wrapped = kills.map(({ activity, moment }) => {
    const body = all[activity as keyof Bodies] as (attempt: Attempt, input: unknown) => Promise<unknown>;
    let died = false;
    const die = (): never => {
      died = true;
      throw new ActivityFault('SystemUnavailable', 'the worker died');
    };
    const call = async (attempt: Attempt, input: unknown): Promise<unknown> => {
      if (died) return body(attempt, input);
      if (moment === 'before') die();
      let ticks = 0;
      const tick = (ms: number): Promise<void> =>
        moment === 'during' && !died && ++ticks === 2 ? attempt.tick(ms).then(die) : attempt.tick(ms);
      const result = await body({ ...attempt, tick }, input);
      return died ? result : die();
    };
    return [activity, call];
  });
  return { ...all, ...(Object.fromEntries(wrapped) as Partial<Bodies>) };
}

/** Plays the night in the simulator: no faults but the kills, people who act at once. Throws when it comes to no end. */
export async function playSimulated(
  seed: number,
  decisions: Decisions,
  run: ResolvedRun,
  at: number,
): Promise<Outcome> {
  const clock = new Clock(at);
  const world = worldOf(clock, seed, decisions);
  const truth = truthOf(world);
  const documents = new Map([['r', run]]);
  const calm = new ActivityPlayer(clock, new Prng(seed), WEATHERS[0]!, () => undefined, world.happened);
  let due = false;
  const failed: string[] = [];
  const look = (): void => {
    if (due) return;
    due = true;
    clock.after(LOOK_MS, () => {
      due = false;
      for (const one of runs.all().filter(({ open }) => open))
        for (const { name, input } of deedsOf(viewOf(one.context), decisions.script))
          runs.deliver(one, parseMessage(name, input));
    });
  };
  const runs: Runs = new Runs(
    clock,
    new Prng(seed),
    documents,
    {
      clock,
      player: calm,
      bodies: dying(bodies(world, truth, documents), decisions.kills),
      onCall: () => undefined,
      onPublish: ({ name }) => {
        const one = runs.all().find(({ runtime }) => runtime.name === name);
        if (one?.wave && one.open && one.context.state.status === 'running') runs.report(one, 'running');
        look();
      },
    },
    {
      happened: world.happened,
      delivered: () => undefined,
      rollbackStarted: () => undefined,
      crashed: (name, error) => void failed.push(`the run of ${name} failed: ${String(error)}`),
      ended: () => undefined,
    },
    'ada',
  );
  world.runsOpen = (wave) => runs.cutover?.open === true && runs.waves.get(wave)?.open === true;
  void runs.startCutover();
  const view = (wave: number | null): RunView | null => {
    const one = wave === null ? runs.cutover : runs.waves.get(wave);
    return one ? viewOf(one.context) : null;
  };
  const views = (): Views => ({ cutover: view(null), wave: view(1) });
  const isOver = (): boolean =>
    runs.cutover?.open === false ||
    (standsStill(views(), decisions.script) && isTold(views(), world.control.ledger)) ||
    clock.events > EVENTS_AT_MOST;
  await clock.run(isOver, () => undefined);
  if (failed.length > 0) throw new Error(failed.join('; '));
  if (clock.events > EVENTS_AT_MOST || !isOver()) throw new Error('the simulated night comes to no end');
  const owners = customers.map((customer) => {
    const wave = waveOf(world, customer);
    return ownerBy({ source: waveRow(world, 'source', wave).state, target: waveRow(world, 'target', wave).state });
  });
  return outcomeOf(views(), world.control.ledger, owners);
}
