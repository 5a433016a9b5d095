import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectDir } from '../paths';
import type { Stack } from '../stack';

const execute = promisify(execFile);

/** Runs a compiled entry point to its end and gives its output. Throws with its error output on another exit code. */
export async function runProgram(
  stack: Pick<Stack, 'env'>,
  entry: string,
  args: string[],
  codes: number[] = [0],
): Promise<string> {
  try {
    const { stdout } = await execute(process.execPath, [join(projectDir(), 'dist', entry), ...args], {
      env: { ...process.env, ...stack.env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    if (codes.includes(failed.code ?? -1)) return failed.stdout ?? '';
    throw new Error(`${entry} ${args[0] ?? ''} failed:\n${failed.stderr ?? ''}${failed.stdout ?? ''}`, {
      cause: error,
    });
  }
}
