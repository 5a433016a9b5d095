import { join } from 'node:path';
import { removeStack, startStack } from '../stack';
import { Cast } from './cast';
import { refuseUnknown, writeDocuments } from './documents';
import { playNight } from './night';
import type { DemoOptions } from './options';
import { forecastLine, rehearse } from './rehearse';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Starts the stack and its people, lets the cutover run, and judges it. Resolves to whether every promise held. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  refuseUnknown(options);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  await removeStack(options.stack);
  const fill =
    options.customersCsv === null ? { customers: options.customers ?? 0 } : { customersCsv: options.customersCsv };
  const stack = await startStack({ name: options.stack, ...fill, seed: options.seed, log: say });
  const cast = new Cast(stack, {});
  const id = `demo-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
  const scene = { id, stack, options, signal: stop.signal, say };
  try {
    const rehearsed = options.rehearse ? await rehearse(scene) : null;
    const documents = writeDocuments(join(stack.dir, 'documents'), new Date());
    await rehearsed?.propose(documents.plan);
    const { held, reportFile } = await playNight({ ...scene, cast, documents, thorough: !options.brief });
    if (rehearsed) say(forecastLine(reportFile));
    if (options.keep) await untilInterrupted(stop.signal);
    return held && (rehearsed?.held ?? true);
  } finally {
    await cast.stopAll();
    await stack.stop();
  }
}

/** `--keep`: the stack, its workers and its people's gateway go on until Ctrl-C. */
function untilInterrupted(signal: AbortSignal): Promise<void> {
  say('Everything is left running. Ctrl-C ends it.');
  return new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
