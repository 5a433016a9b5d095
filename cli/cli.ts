import { createColors } from 'picocolors';
import type { Environment } from './environment';

/** Where words go, and what the place they go to can show. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Standard output is a terminal that redraws. */
  interactive: boolean;
  color: boolean;
}

/** What every verb gets. */
export interface Cli {
  io: Io;
  env: Environment;
  /** Epoch ms. */
  now(): number;
  /** Aborted by Ctrl-C. */
  stop: AbortSignal;
  /** The code the process ends with when nothing is thrown. */
  exitCode: number;
}

export type OutputFormat = 'text' | 'json';

export const colorsOf = (cli: Cli): ReturnType<typeof createColors> => createColors(cli.io.color);

export const printLine = (cli: Cli, line: string): void => cli.io.out(`${line}\n`);

/** Prints the value as JSON, or what `text` says about it. */
export function print<T>(cli: Cli, format: OutputFormat, value: T, text: (value: T) => string): void {
  printLine(cli, format === 'json' ? JSON.stringify(value, null, 2) : text(value));
}
