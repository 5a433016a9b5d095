import { harness } from '../support/harness';

const MINUTE_MS = 60_000;

const seed = (): string => String(1 + Math.floor(Math.random() * 1_000_000));

describe('the custody protocol under concurrency', () => {
  it(
    'loses and doubles no acknowledged write, and never has two owners, while processes are killed',
    async () => {
      const run = await harness('protocol', '--seconds', '10', '--seed', seed());
      // The output names the seed and what was lost.
      expect(run).toEqual({ code: 0, output: expect.stringContaining('none lost or doubled') });
    },
    4 * MINUTE_MS,
  );

  it.each(['1', '8'])(
    'is seen to break when rule %s is broken in the product',
    async (rule) => {
      const run = await harness('protocol', '--seconds', '12', '--seed', seed(), '--break', rule);
      expect(run).toEqual({ code: 1, output: expect.stringContaining('BROKEN') });
    },
    4 * MINUTE_MS,
  );

  it('refuses options it does not know, without starting anything', async () => {
    expect(await harness('protocol', '--break', '99')).toEqual({
      code: 2,
      output: expect.stringContaining('--break takes one of 1, 7, 8, 11, 14'),
    });
    expect((await harness('protocol', '--seconds', 'soon')).code).toBe(2);
  });
});
