import { WRONG } from './cases/systems';
import { query, TinySystems } from './support/tiny-systems';

jest.setTimeout(120_000);

const clients = ({ actual }: TinySystems): Promise<{ code: string }[]> =>
  query(actual.TARGET_URL, 'select code from shop.client order by code');

describe('a run that meets wrong systems is told where and what, and nobody’s data has changed', () => {
  it.each(WRONG)('$what', async ({ tell = () => undefined, conversion, plan, says, again }) => {
    const systems = await TinySystems.open(tell, conversion, plan);
    try {
      const before = await systems.contents();
      const error = await systems.copy().then(
        () => null,
        (failure: unknown) => failure,
      );
      if (!(error instanceof Error)) throw new Error('nothing was wrong');
      for (const words of says) expect(error.message).toMatch(words);
      expect(error.message).not.toMatch(/secret|client \d|note \d/);
      expect('nonRetryable' in error && error.nonRetryable === true).toBe(!again);
      const { source, target } = JSON.parse(await systems.contents()) as Record<string, unknown>;
      const was = JSON.parse(before) as Record<string, unknown>;
      expect(source).toEqual(was['source']);
      // What was copied before the failure is a copy that nobody sees: the way back purges it.
      if (!says.some((words) => /chunk/.test(words.source))) expect(target).toEqual(was['target']);
    } finally {
      await systems.close();
    }
  });

  it('a row that cannot be mapped leaves its customer at the source, and nobody else', async () => {
    const systems = await TinySystems.open((_, { SOURCE_URL }) =>
      query(SOURCE_URL, `update tiny.customer set vip = '?' where id = 't3'`),
    );
    try {
      expect(await systems.copy()).toEqual({ excluded: 1, rows: 9 + 27 });
      expect(await clients(systems)).toHaveLength(9);
    } finally {
      await systems.close();
    }
  });
});
