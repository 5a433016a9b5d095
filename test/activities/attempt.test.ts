import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { mapped } from '../../activities/attempt';
import { withClient } from '../../local/with-client';
import { freshDatabase } from '../support/databases';

const NAME = 'Quillon Canaryfield';

it('what a driver says of a value goes no further than the activity, and is tried again', async () => {
  const url = await freshDatabase('attempt');
  const { read } = mapped({ read: (sql: string) => withClient(url, (client) => client.query(sql)) });
  const failed: unknown = await new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) })
    .run(read, `select '${NAME}'::text::int`)
    .catch((error: unknown) => error);
  expect(failed).toMatchObject({ message: 'PostgreSQL error 22P02', type: 'SystemUnavailable', nonRetryable: false });
  expect(JSON.stringify([failed, String((failed as Error).stack), (failed as Error).cause ?? null])).not.toContain(
    NAME,
  );
});
