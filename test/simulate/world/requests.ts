import type { Side } from '../../../domain/custody';
import { waveOf, type RequestState, type World } from './world';
import { effectRequest, type Truth } from './writers';

const RETRY_MS = 30_000;

/** Earlier requests of the same customer that are not settled: new ones queue behind them. */
const behind = (world: World, request: RequestState): boolean =>
  world.control.requests.some(
    (other) => other.id < request.id && other.customer === request.customer && other.state !== 'effected',
  );

/** The gateway takes a request: it forwards it to the system of record, or holds it while the wave moves. */
export function submit(world: World, truth: Truth): void {
  const customer = world.prng.pick([...world.members.keys()]);
  const request: RequestState = {
    id: world.control.requests.length + 1,
    customer,
    state: 'held',
    executions: 0,
    submittedAt: world.clock.now,
    effectedAt: null,
  };
  world.control.requests.push(request);
  forward(world, truth, request);
}

/** Where routing says the customer lives; null while that is not settled or new work is held. */
function route(world: World, customer: string): Side | null {
  const wave = waveOf(world, customer);
  if (wave === 0) return 'source';
  const custody = world.control.custody.get(wave);
  if (world.control.intake.get(wave) === 'held') return null;
  return custody === 'source' || custody === 'target' ? custody : null;
}

function forward(world: World, truth: Truth, request: RequestState): void {
  if (request.state !== 'held') return;
  const side = route(world, request.customer);
  const again = (): void => world.clock.after(RETRY_MS * world.prng.int(4, 60), () => forward(world, truth, request));
  if (side === null || (behind(world, request) && !world.broken.has('held-order'))) {
    world.happened('work/request held');
    return again();
  }
  request.state = 'forwarding';
  world.clock.after(world.prng.int(1, 5_000), () => send(world, truth, request, side, again));
}

/** The forward's outcome may be lost on the way back: then the gateway asks the same system again, with the same key. */
function send(world: World, truth: Truth, request: RequestState, side: Side, again: () => void): void {
  const result = effectRequest(world, truth, side, request);
  if (result !== 'refused' && world.prng.chance(0.1)) {
    world.happened('work/forward reply lost');
    world.clock.after(RETRY_MS, () => send(world, truth, request, side, again));
    return;
  }
  world.clock.after(world.prng.int(1, 2_000), () => {
    if (request.state !== 'forwarding') return;
    request.state = result === 'refused' ? 'held' : 'effected';
    if (result !== 'refused') return;
    world.happened('work/forward refused by the guard');
    again();
  });
}
