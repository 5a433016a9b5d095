import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';

/** Runs a compiled harness, such as `faults`, in a process of its own, as `npm run` starts it. Throws when it was not built. */
export function harness(name: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const main = join(projectDir(), 'dist', 'test', name, 'main.js');
  if (!existsSync(main)) throw new Error(`${name} runs compiled: \`npm test\` builds it, or \`npm run build\`.`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args]);
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
