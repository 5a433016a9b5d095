import { harness } from '../support/harness';

const MINUTE_MS = 60_000;

test(
  'every promise holds while workers, Temporal and databases are killed, stopped and cut off',
  async () => {
    // The output names the seed, what broke, and the command that plays it again.
    expect(await harness('faults', '--short', '--stacks', '2')).toEqual({
      code: 0,
      output: expect.stringContaining('0 broken, 0 errors, 0 not tried'),
    });
  },
  40 * MINUTE_MS,
);

test('an option or a trial it does not know is refused, and nothing is started', async () => {
  expect(await harness('faults', '--minutes', '61')).toEqual({
    code: 2,
    output: expect.stringContaining('--minutes takes a whole number from 1 to 60'),
  });
  expect(await harness('faults', '--only', 'nothing')).toEqual({
    code: 2,
    output: expect.stringContaining('--list says all'),
  });
});
