#!/usr/bin/env node
import { getEventListeners } from 'node:events';
import { runCli } from './run-cli';
import { startTracing } from '../workers/tracing';
import { readEnvironment, type Environment } from './environment';
import { EXIT } from './exit';

/** Composition root of the command: the only place that touches the process. */
async function main(): Promise<void> {
  const env = readEnvironment(process.env);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt(stop));
  // A reader that closes early (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const tracing = await startTracing('cutover', process.env);
  const [verb = ''] = process.argv.slice(2);
  const within = tracing?.within ?? ((_span: string, body: () => Promise<number>) => body());
  process.exitCode = await within(VERB.test(verb) ? `cutover ${verb}` : 'cutover', () =>
    run(process.argv.slice(2), env, stop),
  );
  await tracing?.stop();
}

function run(argv: string[], env: Environment, stop: AbortController): Promise<number> {
  const terminal = process.stdout.isTTY === true && env.TERM !== 'dumb';
  return runCli(argv, {
    env,
    now: () => Date.now(),
    stop: stop.signal,
    exitCode: 0,
    io: {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      interactive: terminal,
      color: terminal && !env.NO_COLOR,
    },
  });
}

const VERB = /^[a-z-]{1,20}$/;

/** The first Ctrl-C lets a verb that listens end in order; one that does not listen, or a second Ctrl-C, ends at once. */
function interrupt(stop: AbortController): void {
  const listening = getEventListeners(stop.signal, 'abort').length > 0;
  if (stop.signal.aborted || !listening) process.exit(EXIT.interrupted);
  stop.abort();
}

void main();
