import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { stackDir } from '../../local/paths';
import { startPostgres } from '../../local/postgres';
import { waitForExit } from '../../local/processes';

const dir = stackDir(`postgres-${process.pid}`);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function count(url: string, sql: string): Promise<unknown> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows[0];
  } finally {
    await client.end();
  }
}

test('a killed server starts again with what was committed', async () => {
  const first = await startPostgres(join(dir, 'one'));
  await count(first.url('postgres'), 'create table kept as select 1 as value');
  const pid = first.pid();
  process.kill(pid, 'SIGKILL');
  expect(await waitForExit(pid, 30_000)).toBe(true);
  const second = await startPostgres(join(dir, 'one'));
  expect(await count(second.url('postgres'), 'select value from kept')).toEqual({ value: 1 });
  await second.stop();
});

test('a running server is used, not started twice', async () => {
  const first = await startPostgres(join(dir, 'two'));
  const second = await startPostgres(join(dir, 'two'));
  expect(second.pid()).toBe(first.pid());
  await first.stop();
});
