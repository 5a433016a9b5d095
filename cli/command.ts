import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { OutputFormat } from './cli';

/** Options every verb has. */
export interface CommonOptions {
  output: OutputFormat;
}

/** Adds examples to the help of a verb; each is a whole command line. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to print the answer').choices(['text', 'json']).default('text');

/** Who says so; a person id of the plan. */
export const asOption = (): Option =>
  new Option('--as <person>', 'who says so: the id of a person in the plan').makeOptionMandatory();

export const waveOption = (): Option =>
  new Option('--wave <n>', 'the wave meant, when several wait for the same').argParser(waveNumber);

function waveNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('a wave is a number from 1 on.');
  return number;
}

/** An instant with its offset; epoch ms. */
export function instantMs(text: string): number {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('an instant with its offset, such as 2026-11-28T22:00:00+01:00.');
  return at;
}
