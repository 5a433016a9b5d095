import { ensureDatabase } from '../../local/databases';
import { withClient } from '../../local/with-client';
import { startTestServer } from '../support/databases';

describe('making a database', () => {
  it('drops one that was left half filled and fills it anew, and leaves a whole one alone', async () => {
    const server = await startTestServer();
    const name = `whole_${process.pid}`;
    const fill = (rows: number) => (url: string) =>
      withClient(url, async (client) => {
        await client.query('create table t (n int)');
        await client.query('insert into t select generate_series(1, $1::int)', [rows]);
        if (rows === 1) throw new Error('killed half-way');
      });
    const count = (): Promise<number> =>
      withClient(server.url(name), async (client) => (await client.query('select * from t')).rowCount ?? -1);

    await expect(ensureDatabase(server, name, fill(1))).rejects.toThrow('killed half-way');
    await expect(count()).rejects.toThrow('does not exist');
    expect(await ensureDatabase(server, name, fill(3))).toBe(true);
    expect(await count()).toBe(3);
    expect(await ensureDatabase(server, name, fill(5))).toBe(false);
    expect(await count()).toBe(3);
  });
});
