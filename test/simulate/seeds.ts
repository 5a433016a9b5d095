import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BUILT_DIR } from '../../local/paths';
import type { Mutant } from './mutants';
import type { Result } from './simulate';

/** Seeds `from` to `from + seeds - 1`. */
export interface Span {
  from: number;
  seeds: number;
}

/** A result as it crosses from a thread. */
export type Played = Pick<Result, 'seed' | 'broken' | 'events' | 'writes' | 'happened'>;

const SPAN = 20;
const THREAD = join(BUILT_DIR, 'test', 'simulate', 'seed-worker.js');

/**
 * Plays the seeds in threads, a seed always the same way whatever its thread. `onPlayed` hears of each, in no order. Stops early
 * when `stop` is aborted; rejects when a thread fails.
 */
export async function playSeeds(
  { from, seeds }: Span,
  options: { threads: number; mutant: Mutant | null; stop: AbortSignal },
  onPlayed: (played: Played) => void,
): Promise<void> {
  let next = from;
  const end = from + seeds;
  const span = (): Span | null => {
    if (next >= end || options.stop.aborted) return null;
    const mine = { from: next, seeds: Math.min(SPAN, end - next) };
    next += mine.seeds;
    return mine;
  };
  const threads = Math.min(options.threads, Math.ceil(seeds / SPAN));
  await Promise.all(Array.from({ length: threads }, () => playThread(span, options, onPlayed)));
}

async function playThread(
  span: () => Span | null,
  { mutant, stop }: { mutant: Mutant | null; stop: AbortSignal },
  onPlayed: (played: Played) => void,
): Promise<void> {
  const worker = new Worker(THREAD, { workerData: { mutant } });
  const leave = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
  try {
    for (let mine = span(); mine; mine = span()) {
      const played = new Promise<Played[]>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      worker.postMessage(mine);
      const results = await Promise.race([played, leave]);
      if (!results) return;
      worker.removeAllListeners('error');
      results.forEach(onPlayed);
    }
  } finally {
    await worker.terminate();
  }
}
