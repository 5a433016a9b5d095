import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';

const MAIN = join(projectDir(), 'dist', 'test', 'protocol', 'main.js');
const MINUTE_MS = 60_000;

interface Run {
  code: number | null;
  output: string;
}

/** The compiled test in a process of its own, as `npm run protocol` starts it. */
function protocol(...args: string[]): Promise<Run> {
  if (!existsSync(MAIN)) throw new Error('The protocol test runs compiled: `npm test` builds it, or `npm run build`.');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args]);
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

const seed = (): string => String(1 + Math.floor(Math.random() * 1_000_000));

describe('the custody protocol under concurrency', () => {
  it(
    'loses and doubles no acknowledged write, and never has two owners, while processes are killed',
    async () => {
      const run = await protocol('--seconds', '10', '--seed', seed());
      // The output names the seed and what was lost.
      expect(run).toEqual({ code: 0, output: expect.stringContaining('none lost or doubled') });
    },
    4 * MINUTE_MS,
  );

  it.each(['1', '8'])(
    'is seen to break when rule %s is broken in the product',
    async (rule) => {
      const run = await protocol('--seconds', '12', '--seed', seed(), '--break', rule);
      expect(run).toEqual({ code: 1, output: expect.stringContaining('BROKEN') });
    },
    4 * MINUTE_MS,
  );

  it('refuses options it does not know, without starting anything', async () => {
    expect(await protocol('--break', '99')).toEqual({
      code: 2,
      output: expect.stringContaining('--break takes one of 1, 7, 8, 11, 14'),
    });
    expect((await protocol('--seconds', 'soon')).code).toBe(2);
  });
});
