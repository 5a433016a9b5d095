import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../local/lock';
import { processMark } from '../../local/processes';

describe('the lock of a folder', () => {
  const dir = mkdtempSync(join(tmpdir(), 'cutover-lock-'));
  const file = join(dir, 'lock');
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('lets one work at a time and is gone when all have worked, failures included', async () => {
    let inside = 0;
    let most = 0;
    let waited = 0;
    const work = (n: number) =>
      withLock(
        file,
        async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
          if (n === 2) throw new Error('this one fails');
          return n;
        },
        () => (waited += 1),
      );
    const results = await Promise.allSettled([1, 2, 3].map(work));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([most, waited > 0, existsSync(file)]).toEqual([1, true, false]);
  });

  it('passes over a holder that is dead, also when its number belongs to another process now', async () => {
    writeFileSync(file, '999999999 1');
    await expect(withLock(file, () => Promise.resolve('done'))).resolves.toBe('done');
    writeFileSync(file, `${process.pid} ${Number(processMark(process.pid)) - 1}`);
    await expect(withLock(file, () => Promise.resolve('done'))).resolves.toBe('done');
  });
});
