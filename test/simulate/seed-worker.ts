import { parentPort, workerData } from 'node:worker_threads';
import type { Mutant } from './mutants';
import { simulate } from './simulate';
import type { Played, Span } from './seeds';

const { mutant } = workerData as { mutant: Mutant | null };

/** Plays the spans of seeds it is sent, one after the other. */
async function play({ from, seeds }: Span): Promise<Played[]> {
  const played: Played[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const { broken, events, writes, happened } = await simulate(seed, mutant ? { mutant } : {});
    played.push({ seed, broken, events, writes, happened });
  }
  return played;
}

parentPort?.on('message', (span: Span) => {
  void play(span).then((played) => parentPort?.postMessage(played));
});
