import { Client } from 'pg';
import { attempt } from '../../../local/traffic/direct';
import { freshDatabase } from '../../support/databases';

/** Ends its own connection when the transaction commits: the answer to COMMIT never comes. */
const LOSE_COMMIT = `
  create table written (id int);
  create function lose() returns trigger language plpgsql as $$
  begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); return null; end $$;
  create constraint trigger lose after insert on written deferrable initially deferred
    for each row when (new.id = 13) execute function lose();
  create table once (id int primary key);
  insert into once values (1);`;

let url: string;
beforeAll(async () => {
  url = await freshDatabase('direct');
  await withClient((client) => client.query(LOSE_COMMIT));
});

async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const write = (client: Client, sql: string): ReturnType<typeof attempt<string>> =>
  attempt(client, 'read committed', async () => {
    await client.query(sql);
    return 'written';
  });

test('an answered COMMIT is acknowledged', async () => {
  expect(await withClient((client) => write(client, 'insert into written values (1)'))).toEqual({
    outcome: 'acknowledged',
    value: 'written',
  });
});

test('a connection lost while COMMIT is on its way leaves the outcome unknown', async () => {
  expect(await withClient((client) => write(client, 'insert into written values (13)'))).toMatchObject({
    outcome: 'unknown',
  });
});

test('a connection lost before COMMIT did not do it', async () => {
  const result = await withClient((client) => write(client, 'select pg_terminate_backend(pg_backend_pid())'));
  expect(result).toEqual({ outcome: 'refused', code: 'lost' });
});

test('a refusal carries its SQLSTATE, and the connection can be used again', async () => {
  await withClient(async (client) => {
    expect(await write(client, 'insert into once values (1)')).toEqual({ outcome: 'refused', code: '23505' });
    expect(await write(client, "do $$ begin raise exception 'no' using errcode = 'CU001'; end $$")).toEqual({
      outcome: 'refused',
      code: 'CU001',
    });
    expect(await write(client, 'insert into once values (2)')).toMatchObject({ outcome: 'acknowledged' });
  });
});

test('nothing to do is rolled back', async () => {
  const result = await withClient((client) =>
    attempt(client, 'serializable', async () => {
      await client.query('insert into once values (3)');
      return undefined;
    }),
  );
  expect(result).toEqual({ outcome: 'refused', code: 'nothing-to-do' });
  const rows = await withClient((client) => client.query('select from once where id = 3'));
  expect(rows.rowCount).toBe(0);
});

test('a fault of the program itself is thrown, not journalled as a refusal', async () => {
  const broken = withClient((client) =>
    attempt(client, 'read committed', () => Promise.reject(new TypeError('a defect'))),
  );
  await expect(broken).rejects.toThrow('a defect');
});
