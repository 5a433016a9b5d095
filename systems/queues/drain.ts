import { SystemFault } from '../ports';
import type { QueuePort, QueueReading } from './port';

export interface DrainState {
  /** Open work by work id at the last look. */
  open: Record<string, QueueReading>;
  /** How many looks in a row found everything empty. */
  emptyInARow: number;
  /** Pieces that were open at the first look, and when that was (epoch ms). */
  first: { open: number; at: number } | null;
  drained: boolean;
  /** When the work will be gone at the pace so far (epoch ms); null when it does not shrink. */
  expectedAt: number | null;
}

/** Messages move between ready and unacknowledged while two queues are read one after the other: one zero proves nothing. */
const EMPTY_LOOKS = 2;

export const notLooked: DrainState = { open: {}, emptyInARow: 0, first: null, drained: false, expectedAt: null };

const openOf = (open: Record<string, QueueReading>): number =>
  Object.values(open).reduce((sum, each) => sum + each.ready + each.unacked, 0);

/** The state after one more look at `now` (epoch ms). Dead letters do not hold up a drain. Pure. */
export function look(before: DrainState, open: Record<string, QueueReading>, now: number): DrainState {
  const left = openOf(open);
  const emptyInARow = left === 0 ? before.emptyInARow + 1 : 0;
  const first = before.first ?? { open: left, at: now };
  const done = first.open - left;
  const expectedAt = left === 0 ? now : done > 0 ? Math.ceil(now + (left * (now - first.at)) / done) : null;
  return { open, emptyInARow, first, drained: emptyInARow >= EMPTY_LOOKS, expectedAt };
}

/** Looks at every queue once. */
async function drainOnce(
  ports: Record<string, QueuePort>,
  wave: number,
  before: DrainState,
  now: () => number,
): Promise<DrainState> {
  const open: Record<string, QueueReading> = {};
  for (const [work, port] of Object.entries(ports)) open[work] = await port.read(wave);
  return look(before, open, now());
}

export interface DrainClock {
  now(): number;
  /** Rejects when the caller was cancelled. */
  sleep(ms: number): Promise<void>;
}

/**
 * Looks every `everyMs` until everything is drained or `deadline` (epoch ms) has passed; the last look decides. After an
 * empty look it waits until no reading can be an old one. A queue that cannot be read now is asked again until the
 * deadline, and counts as not empty.
 */
export async function drainUntil(
  ports: Record<string, QueuePort>,
  input: { wave: number; deadline: number; everyMs: number; onLook?: (state: DrainState) => void },
  clock: DrainClock,
): Promise<DrainState> {
  const staleMs = Math.max(0, ...Object.values(ports).map((port) => port.staleMs ?? 0));
  let state = notLooked;
  for (;;) {
    try {
      state = await drainOnce(ports, input.wave, state, () => clock.now());
      input.onLook?.(state);
    } catch (error) {
      if (!(error instanceof SystemFault) || !error.retryable || clock.now() >= input.deadline) throw error;
      state = { ...state, emptyInARow: 0 };
    }
    const nearlyThere = state.emptyInARow > 0;
    if (state.drained || (clock.now() >= input.deadline && !nearlyThere)) return state;
    await clock.sleep(nearlyThere ? Math.max(input.everyMs, staleMs) : input.everyMs);
  }
}
