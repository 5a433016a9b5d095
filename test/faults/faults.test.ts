import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';

const MAIN = join(projectDir(), 'dist', 'test', 'faults', 'main.js');
const MINUTE_MS = 60_000;

/** The compiled harness in a process of its own, as `npm run faults` starts it. */
function faults(...args: string[]): Promise<{ code: number | null; output: string }> {
  if (!existsSync(MAIN)) throw new Error('The faults run compiled: `npm test` builds them, or `npm run build`.');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args]);
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

test(
  'every promise holds while workers, Temporal and databases are killed, stopped and cut off',
  async () => {
    // The output names the seed, what broke, and the command that plays it again.
    expect(await faults('--short', '--stacks', '2')).toEqual({
      code: 0,
      output: expect.stringContaining('0 broken, 0 errors, 0 not tried'),
    });
  },
  40 * MINUTE_MS,
);

test('an option or a trial it does not know is refused, and nothing is started', async () => {
  expect(await faults('--minutes', '61')).toEqual({
    code: 2,
    output: expect.stringContaining('--minutes takes a whole number from 1 to 60'),
  });
  expect(await faults('--only', 'nothing')).toEqual({ code: 2, output: expect.stringContaining('--list says all') });
});
