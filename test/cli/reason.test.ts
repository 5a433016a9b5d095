import { reasonOf } from '../../cli/connect';
import { withClient } from '../../local/with-client';
import { freshDatabase } from '../support/databases';

it('what a database refuses is told by its name; a value of a row is not repeated', async () => {
  const url = await freshDatabase('reason');
  const refused = (sql: string): Promise<string> =>
    withClient(url, (client) => client.query(sql)).then(() => 'nothing', reasonOf);
  expect(await refused(`select 'Quillon Canaryfield'::text::int`)).toBe('PostgreSQL error 22P02');
  expect(await refused('select from nowhere')).toBe('PostgreSQL error 42P01: relation "nowhere" does not exist');
  expect(reasonOf(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
});
