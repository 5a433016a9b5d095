import type { Cli } from '../../../cli/cli';
import { readEnvironment } from '../../../cli/environment';

export interface HeardCli extends Cli {
  stdout: string;
  stderr: string;
}

/** A command line's surroundings that keep what is printed. Nothing of the test's own environment reaches it. */
export function fakeCli(env: Record<string, string> = {}): HeardCli {
  const cli: HeardCli = {
    env: readEnvironment(env),
    now: () => Date.parse('2026-11-28T23:00:00Z'),
    stop: new AbortController().signal,
    exitCode: 0,
    stdout: '',
    stderr: '',
    io: {
      out: (text) => void (cli.stdout += text),
      err: (text) => void (cli.stderr += text),
      interactive: false,
      color: false,
    },
  };
  return cli;
}
