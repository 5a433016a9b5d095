/** Copies of the compiled product with one line broken. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { projectDir, stackDir } from '../../local/paths';

export interface Mutant {
  /** Under `dist`. */
  file: string;
  /** Found exactly once, or the mutant no longer breaks what it says. */
  text: string;
  instead: string;
}

/** The broken file's text. Throws when the text to replace is not in the compiled product exactly once. */
export function breakLine(name: string, { file, text, instead }: Mutant): string {
  const pieces = readFileSync(join(projectDir(), 'dist', file), 'utf8').split(text);
  if (pieces.length !== 2)
    throw new Error(`the text that mutant ${name} replaces is ${pieces.length - 1} times in ${file}, not once`);
  return pieces.join(instead);
}

/** The folder of a copy of `dist` in which the line is broken. */
function buildMutant(name: string, mutant: Mutant): string {
  const broken = breakLine(name, mutant);
  const copy = join(stackDir(`mutant-${name}-${process.pid}`), 'dist');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(join(projectDir(), 'dist'), copy, { recursive: true });
  writeFileSync(join(copy, mutant.file), broken);
  return copy;
}

/** Runs a program of the copy, output and signals passed on. Resolves to its exit code. */
export async function runMutant(
  name: string,
  mutant: Mutant,
  program: string,
  args: readonly string[],
): Promise<number> {
  const copy = buildMutant(name, mutant);
  const child = spawn(process.execPath, [join(copy, program), ...args], { stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 2));
    });
  } finally {
    rmSync(dirname(copy), { recursive: true, force: true });
  }
}
